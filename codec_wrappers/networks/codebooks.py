"""Codebooks in training: k-means starts them, moving averages or gradients update them, and dead codes are revived."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

DEAD_BELOW = 0.1  # a code with less than this share of the mean use gets a new vector
KMEANS_ROUNDS = 10


@dataclass(frozen=True)
class Codebook(ABC):
    """Views of the tensors in which a network stores one codebook; training changes them in place.

    Shapes: `vectors` `[N, D]`; `counts` `[N]`, moving averages of each code's uses per batch, all zero if new.
    """

    vectors: Tensor
    counts: Tensor
    decay: float  # of the moving averages, per batch

    @property
    @abstractmethod
    def by_gradient(self) -> bool:
        """Whether the vectors are parameters, which need their own loss."""

    @property
    def is_new(self) -> bool:
        """Whether it has had no batch yet."""
        return not bool(self.counts.any())

    @torch.no_grad()
    def nearest(self, inputs: Tensor) -> Tensor:
        """The code `[M]` of the vector nearest to each of inputs `[M, D]`."""
        # |x - v|² without |x|², which is the same for every v and would reduce precision
        distances = self.vectors.square().sum(dim=1) - 2 * inputs @ self.vectors.T
        return distances.argmin(dim=1)

    @torch.no_grad()
    def start(self, inputs: Tensor) -> None:
        """Start a new codebook from the clusters of its first batch `[M, D]`; do nothing if it is not new."""
        if not self.is_new:
            return
        centers, counts = kmeans(inputs, len(self.vectors))
        self.counts.copy_(counts)
        self._place(torch.ones_like(counts, dtype=torch.bool), centers)

    @torch.no_grad()
    def learn(self, inputs: Tensor, codes: Tensor) -> None:
        """Learn from one batch: inputs `[M, D]` and their codes `[M]`."""
        one_hot = F.one_hot(codes, len(self.vectors)).to(inputs.dtype)
        self.counts.lerp_(one_hot.sum(dim=0), 1 - self.decay)
        self._follow(one_hot.T @ inputs)
        self._revive(inputs)

    def _revive(self, inputs: Tensor) -> None:
        mean_use = self.counts.mean()
        dead = self.counts < DEAD_BELOW * mean_use
        number = _num_draws(dead)
        if number:
            rows = torch.randint(len(inputs), (number,), device=inputs.device)
            row_of_code = rows[(dead.cumsum(0) - 1).clamp(min=0)]
            # with the mean use, it is not replaced again at once
            self.counts.copy_(torch.where(dead, mean_use, self.counts))
            self._place(dead, inputs[row_of_code])

    @staticmethod
    def _take(tensor: Tensor, where: Tensor, values: Tensor) -> None:
        """Change the rows of `tensor` `[N, D]` in the mask; an index by a mask would wait for a GPU to count them."""
        tensor.copy_(torch.where(where[:, None], values, tensor))

    @abstractmethod
    def _follow(self, sums: Tensor) -> None:
        """Update the vectors from the sums `[N, D]` of the inputs of each code."""

    @abstractmethod
    def _place(self, where: Tensor, vectors: Tensor) -> None:
        """Take the vectors `[N, D]` of the codes in the mask `where` `[N]`."""


@dataclass(frozen=True)
class AveragedCodebook(Codebook):
    """Each vector is the moving average of its inputs (van den Oord et al. 2017, appendix A.1)."""

    sums: Tensor  # [N, D]; vectors = sums / counts

    @property
    def by_gradient(self) -> bool:
        return False

    def _follow(self, sums: Tensor) -> None:
        self.sums.lerp_(sums, 1 - self.decay)
        in_use = self.counts > 0
        self._take(self.vectors, in_use, self.sums / self.counts[:, None])

    def _place(self, where: Tensor, vectors: Tensor) -> None:
        self._take(self.vectors, where, vectors)
        self._take(self.sums, where, vectors * self.counts[:, None])


@dataclass(frozen=True)
class TrainedCodebook(Codebook):
    """Vectors are parameters of the network, updated by its optimizer."""

    @property
    def by_gradient(self) -> bool:
        return True

    def _follow(self, sums: Tensor) -> None:
        """Do nothing: the codebook loss updates the vectors."""

    def _place(self, where: Tensor, vectors: Tensor) -> None:
        self._take(self.vectors, where, vectors)


def any_new(books: Sequence[Codebook]) -> bool:
    """Whether a codebook has had no batch yet; the CPU waits once for a GPU, whatever the number of codebooks."""
    return not bool(torch.stack([book.counts.any() for book in books]).all())


def kmeans(inputs: Tensor, clusters: int) -> tuple[Tensor, Tensor]:
    """Centers `[clusters, D]` and sizes `[clusters]` of inputs `[M, D]`, from a random start (torch's generator).

    With fewer inputs than clusters, some inputs start several clusters; an empty cluster keeps its center.
    """
    centers = inputs[_draw(len(inputs), clusters, inputs.device)]
    for _ in range(KMEANS_ROUNDS):
        sums, sizes = _assign(inputs, centers)
        centers = torch.where(sizes[:, None] > 0, sums / sizes[:, None].clamp(min=1), centers)
    return centers, _assign(inputs, centers)[1]


def _num_draws(dead: Tensor) -> int:
    """How many new vectors to draw for the codes in the mask `[N]`: on a GPU N, because counting is a wait."""
    return len(dead) if dead.is_cuda else int(dead.sum())


def _draw(available: int, number: int, device: torch.device) -> Tensor:
    if available >= number:
        return torch.randperm(available, device=device)[:number]
    return torch.randint(available, (number,), device=device)


def _assign(inputs: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    distances = centers.square().sum(dim=1) - 2 * inputs @ centers.T
    one_hot = F.one_hot(distances.argmin(dim=1), len(centers)).to(inputs.dtype)
    return one_hot.T @ inputs, one_hot.sum(dim=0)
