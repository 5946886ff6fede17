"""Training strategies: how a step updates the weights, and which trials meet in a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from torch import Tensor
from torch.optim import Optimizer

from codecfake.features import cut

Closure = Callable[[], Tensor]  # sets the gradients of one batch at the present weights, gives its loss


class Update(Protocol):
    """One optimization step. May call the closure more than once; gives the loss at the weights before the step."""

    def __init__(self, optimizer: Optimizer) -> None: ...

    def step(self, closure: Closure) -> Tensor: ...


class PlainUpdate:
    """The base optimizer's own step."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer

    def step(self, closure: Closure) -> Tensor:
        loss = closure()
        self._optimizer.step()
        return loss


def shuffled(trials: pd.DataFrame, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Every trial once, in random order; the last batch may be smaller."""
    return cut(rng.permutation(len(trials)), batch_size)


@dataclass(frozen=True)
class Strategy:
    update: type[Update]
    batches: Callable[[pd.DataFrame, int, np.random.Generator], list[np.ndarray]]


STRATEGIES: dict[str, Strategy] = {
    "erm": Strategy(PlainUpdate, shuffled),
}
