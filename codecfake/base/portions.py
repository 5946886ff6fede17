"""A batch divided among the processes of a training, such that what they compute adds up to that of the whole batch.

Each process computes the loss of its rows, as their share of the loss of the batch. Losses and gradients are then sums
over the processes.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from codecfake.base.parallel import ALONE, ParallelError, Team


@dataclass(frozen=True)
class Portion:
    """This process's consecutive rows of a batch of `length` rows; the numbers of rows differ by one at most.

    Raises ParallelError if there are fewer rows than processes.
    """

    team: Team = ALONE
    length: int = 1

    def __post_init__(self) -> None:
        if self.length < self.team.size:
            raise ParallelError(
                f"a batch of {self.length} cannot be divided among {self.team.size} processes; give this job at most "
                f"{self.length} GPUs, or raise batch_size"
            )

    @property
    def rows(self) -> slice:
        start, end = (self.length * rank // self.team.size for rank in (self.team.rank, self.team.rank + 1))
        return slice(start, end)

    @property
    def share(self) -> float:
        """The rows of this process, as a share of the batch."""
        return (self.rows.stop - self.rows.start) / self.length

    def whole(self, part: Tensor) -> Tensor:
        """The batch `[length, …]` of which every process has its rows; their gradient is a sum over the processes."""
        return part if self.team.size == 1 else _Whole.apply(part, self)

    def over_batch(self, mean: Tensor) -> Tensor:
        """This process's share of a mean over the batch, given the mean over its rows; the shares add up to it."""
        return mean if self.team.size == 1 else self.share * mean

    def divided(self, value: Tensor) -> Tensor:
        """This process's share of a value that every process computes from the whole batch."""
        return value if self.team.size == 1 else value / self.team.size

    def total(self, value: Tensor) -> Tensor:
        """The sum of the values of all processes, without a gradient."""
        if self.team.size == 1:
            return value.detach()
        total = value.detach().clone()
        dist.all_reduce(total)
        return total


WHOLE = Portion()  # of one process, which has every row of batches of any length


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part: Tensor, portion: Portion) -> Tensor:
        ctx.rows = portion.rows
        whole = part.new_zeros(portion.length, *part.shape[1:])
        whole[portion.rows] = part
        dist.all_reduce(whole)  # a sum with zeros is exact, and parts need not be equally long
        return whole

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[ctx.rows], None
