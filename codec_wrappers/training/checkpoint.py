"""Checkpoints of a codec's training."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from codec_wrappers.training.recipe import Recipe
from codec_wrappers.training.segments import Recording
from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.base import resumable

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """The progress of a run."""

    step: int = 0  # completed steps
    sums: dict[str, float] = field(default_factory=dict)  # of each loss since the last row of the history
    counts: dict[str, int] = field(default_factory=dict)  # of the steps with that loss
    untrained: dict[str, float] = field(default_factory=dict)  # quality before the first step
    history: list[dict[str, float]] = field(default_factory=list)
    best_state: dict[str, torch.Tensor] = field(default_factory=dict)  # of the codec, if its recipe keeps the best one

    def add(self, losses: Mapping[str, float]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def take_means(self) -> dict[str, float]:
        """The mean of each loss since the last call."""
        means = {name: total / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


@dataclass(frozen=True)
class Learners:
    """The modules and optimizers of a training, under their names in the checkpoint."""

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, Optimizer]


def fingerprint(settings: CodecTrainingSettings, recipe: Recipe, start: str, recordings: list[Recording]) -> str:
    """What must be equal for a checkpoint to belong to the same run; `start`: the digest of the first weights."""
    values = json.dumps([asdict(settings), recipe.record(), start], sort_keys=True)
    return resumable.fingerprint(values, *map(str, recordings))


def save(path: Path, progress: Progress, learners: Learners, run: str) -> None:
    """Write a checkpoint of the run with fingerprint `run`."""
    content = {
        "progress": vars(progress),
        "modules": {name: _state(module) for name, module in learners.modules.items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in learners.optimizers.items()},
    }
    resumable.save(path, run, content)


def restore(path: Path, learners: Learners, run: str) -> Progress:
    """Load the learners from the checkpoint, if it belongs to the run with fingerprint `run`.

    Raises CheckpointError if it is damaged.
    """
    content = resumable.restore(path, run)
    if content is None:
        return Progress()
    for name, module in learners.modules.items():
        _load(module, content["modules"][name])
    for name, optimizer in learners.optimizers.items():
        optimizer.load_state_dict(content["optimizers"][name])
    progress = Progress(**content["progress"])
    log.info("%s: going on after step %d", path, progress.step)
    return progress


def _state(module: nn.Module) -> dict[str, Any]:
    # some published weights have no tensor for the counts of codes: these buffers are not in the state_dict
    return {"state": module.state_dict(), "buffers": dict(module.named_buffers())}


@torch.no_grad()
def _load(module: nn.Module, content: Mapping[str, Any]) -> None:
    module.load_state_dict(content["state"])
    for name, buffer in module.named_buffers():
        buffer.copy_(content["buffers"][name])
