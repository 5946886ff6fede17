"""Updates of parameters by their gradients, as a recipe's optimizer says; learning rates depend on the step alone."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from codec_wrappers.training.recipe import Optimizer

KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class Updates:
    """Of `parameters`, from `first_step` to `last_step` of the training; frozen ones stay as they are."""

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

    def clip(self) -> float:
        """The norm of all gradients together, which are then scaled down to the recipe's, if it has one."""
        limit = math.inf if self._settings.clip_norm is None else self._settings.clip_norm
        return torch.nn.utils.clip_grad_norm_(self._parameters, limit).item()

    def learning_rate(self, steps_done: int) -> float:
        return self._settings.learning_rate * self._settings.factor(steps_done - self._first_step, self._num_steps)

    def apply(self, steps_done: int) -> None:
        """One update, after `steps_done` steps of the training."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(steps_done)
        self.optimizer.step()
