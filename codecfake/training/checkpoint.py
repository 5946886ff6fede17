"""Checkpoints of a detector's training."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from codecfake.base import resumable

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """The progress of a run."""

    epoch: int = 0  # the epoch in progress
    step: int = 0  # completed steps of that epoch
    loss_sum: float = 0.0  # sum of the weighted losses of those steps
    weight_sum: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)  # one row per epoch
    best_epoch: int = 0  # the best one so far, counted from 1
    best_state: dict[str, Tensor] = field(default_factory=dict)
    best_scores: Tensor | None = None  # scores of the dev trials, in their order
    average: dict[str, Tensor] = field(default_factory=dict)  # state of the AveragedModel, if weights are averaged


def save(path: Path, progress: Progress, network: nn.Module, optimizer: Optimizer, run: str) -> None:
    """Write a checkpoint of the run with fingerprint `run`."""
    states = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    resumable.save(path, run, {"progress": vars(progress), **states})


def restore(path: Path, network: nn.Module, optimizer: Optimizer, run: str) -> Progress:
    """Fill network and optimizer from the checkpoint, if there is one of the run with fingerprint `run`.

    Raises CheckpointError if it is damaged.
    """
    content = resumable.restore(path, run)
    if content is None:
        return Progress()
    network.load_state_dict(content["network"])
    optimizer.load_state_dict(content["optimizer"])
    progress = Progress(**content["progress"])
    log.info("%s: continuing at epoch %d, step %d", path, progress.epoch + 1, progress.step)
    return progress
