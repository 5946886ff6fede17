"""Checkpoints: where a training run stands, in one file, so that a killed run goes on as if nothing had happened.

No random state is kept: every step draws its randomness from (seed, epoch, step) alone.
"""

import io
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecfake.base import files

log = logging.getLogger(__name__)


class CheckpointError(RuntimeError):
    """A checkpoint cannot be read."""


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0  # the epoch in progress
    step: int = 0  # steps of it that are done
    loss_sum: float = 0.0  # of the weighted losses of those steps
    weight_sum: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)  # one row an epoch
    best_epoch: int = 0  # the one kept so far, counted from 1
    best_state: dict[str, Tensor] = field(default_factory=dict)
    best_scores: Tensor | None = None  # of the dev trials, in their order
    average: dict[str, Tensor] = field(default_factory=dict)  # state of the AveragedModel, where weights are averaged


def save(path: Path, progress: Progress, back_end: nn.Module, optimizer: Optimizer, run: str) -> None:
    """Write a checkpoint of the run with fingerprint `run`."""
    content = {
        "run": run,
        "progress": vars(progress),
        "back_end": back_end.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    files.write_bytes(path, buffer.getbuffer())


def restore(path: Path, back_end: nn.Module, optimizer: Optimizer, run: str) -> Progress:
    """Fill back-end and optimizer from the checkpoint, if there is one of the run with fingerprint `run`.

    Raises CheckpointError if it is damaged.
    """
    if not path.is_file():
        return Progress()
    try:
        content = torch.load(path, map_location=next(back_end.parameters()).device, weights_only=True)
    except Exception as error:  # of many kinds, where bytes are missing or changed
        raise CheckpointError(f"{path}: damaged ({error}); delete it, and training starts anew") from error
    if content["run"] != run:
        log.warning("%s: of a run with other settings or other trials; starting from the first epoch", path)
        return Progress()
    back_end.load_state_dict(content["back_end"])
    optimizer.load_state_dict(content["optimizer"])
    progress = Progress(**content["progress"])
    log.info("%s: going on at epoch %d, step %d", path, progress.epoch + 1, progress.step)
    return progress
