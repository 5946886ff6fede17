"""Updates of parameters by a recipe's optimizer; learning rates depend only on the step."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from codec_wrappers.training.recipe import Optimizer
from codecfake.base.parallel import Team

KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class Updates:
    """Updates `parameters` from `first_step` to `last_step` of the training; frozen parameters stay as they are."""

    def __init__(
        self, settings: Optimizer, parameters: Iterable[nn.Parameter], first_step: int, last_step: int
    ) -> None:
        self._settings, self._parameters = settings, list(parameters)
        self._first_step, self._num_steps = first_step, last_step - first_step
        self.optimizer = KINDS[settings.kind](
            self._parameters, lr=settings.learning_rate, betas=settings.betas, weight_decay=settings.weight_decay
        )

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()

    def add_gradients(self, team: Team) -> None:
        """Replace each gradient by the sum of those of all processes."""
        team.add_gradients(self._parameters)

    def clip(self) -> float:
        """The norm of all gradients together; if the recipe has a `clip_norm`, they are then scaled down to it."""
        limit = math.inf if self._settings.clip_norm is None else self._settings.clip_norm
        return torch.nn.utils.clip_grad_norm_(self._parameters, limit).item()

    def learning_rate(self, step: int) -> float:
        return self._settings.learning_rate * self._settings.factor(step - self._first_step, self._num_steps)

    def apply(self, step: int) -> None:
        """Make one update after `step` steps of the training."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        self.optimizer.step()
