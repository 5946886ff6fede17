"""Codebooks that learn the vectors they quantize: started by k-means, kept alive, moved by averages or by gradient."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

DEAD_BELOW = 0.1  # a code used less than this share of the mean use is given a new vector
KMEANS_ROUNDS = 10


@dataclass(frozen=True)
class Codebook(ABC):
    """Views of the tensors in which a network stores one codebook, changed in place by learning.

    Shapes: `vectors` `[N, D]`; `counts` `[N]`, the moving average of how often a batch uses each code. All zero: new.
    """

    vectors: Tensor
    counts: Tensor
    decay: float  # of the moving averages, a batch

    @property
    @abstractmethod
    def by_gradient(self) -> bool:
        """Whether the vectors are parameters, which need a loss of their own."""

    @property
    def is_new(self) -> bool:
        """Whether it has not seen any batch yet."""
        return not bool(self.counts.any())

    @torch.no_grad()
    def nearest(self, inputs: Tensor) -> Tensor:
        """The code `[M]` of the vector nearest to each of inputs `[M, D]`."""
        # |x - v|² without |x|², which is the same for every v and would only cost precision
        distances = self.vectors.square().sum(dim=1) - 2 * inputs @ self.vectors.T
        return distances.argmin(dim=1)

    @torch.no_grad()
    def start(self, inputs: Tensor) -> None:
        """Begin a new codebook with the clusters of its first batch `[M, D]`; leave any other as it is."""
        if not self.is_new:
            return
        centers, counts = kmeans(inputs, len(self.vectors))
        self.counts.copy_(counts)
        self._place(torch.ones_like(counts, dtype=torch.bool), centers)

    @torch.no_grad()
    def learn(self, inputs: Tensor, codes: Tensor) -> None:
        """Follow one batch: inputs `[M, D]` and the codes `[M]` they were given."""
        chosen = F.one_hot(codes, len(self.vectors)).to(inputs.dtype)
        self.counts.lerp_(chosen.sum(dim=0), 1 - self.decay)
        self._follow(chosen.T @ inputs)
        self._revive(inputs)

    def _revive(self, inputs: Tensor) -> None:
        mean_use = self.counts.mean()
        dead = self.counts < DEAD_BELOW * mean_use
        if dead.any():
            drawn = torch.randint(len(inputs), (int(dead.sum()),), device=inputs.device)
            self.counts[dead] = mean_use  # time to prove itself
            self._place(dead, inputs[drawn])

    @abstractmethod
    def _follow(self, sums: Tensor) -> None:
        """Move by the sums `[N, D]` of the inputs that chose each code."""

    @abstractmethod
    def _place(self, where: Tensor, vectors: Tensor) -> None:
        """Give the codes of the mask `where` `[N]` new vectors."""


@dataclass(frozen=True)
class AveragedCodebook(Codebook):
    """Each vector is the moving average of the inputs that chose it (van den Oord et al. 2017, appendix A.1)."""

    sums: Tensor  # [N, D]; vectors = sums / counts

    @property
    def by_gradient(self) -> bool:
        return False

    def _follow(self, sums: Tensor) -> None:
        self.sums.lerp_(sums, 1 - self.decay)
        used = self.counts > 0
        self.vectors[used] = self.sums[used] / self.counts[used, None]

    def _place(self, where: Tensor, vectors: Tensor) -> None:
        self.vectors[where] = vectors
        self.sums[where] = vectors * self.counts[where, None]


@dataclass(frozen=True)
class TrainedCodebook(Codebook):
    """Vectors are parameters of the network, moved by its optimizer."""

    @property
    def by_gradient(self) -> bool:
        return True

    def _follow(self, sums: Tensor) -> None:
        """Nothing to do: the codebook loss moves the vectors."""

    def _place(self, where: Tensor, vectors: Tensor) -> None:
        self.vectors[where] = vectors


def kmeans(inputs: Tensor, clusters: int) -> tuple[Tensor, Tensor]:
    """Centers `[clusters, D]` and sizes `[clusters]` of inputs `[M, D]`, from a random start (torch's generator).

    With fewer inputs than clusters, some inputs start several clusters; an empty cluster keeps its center.
    """
    centers = inputs[_draw(len(inputs), clusters, inputs.device)]
    for _ in range(KMEANS_ROUNDS):
        sums, sizes = _assign(inputs, centers)
        centers = torch.where(sizes[:, None] > 0, sums / sizes[:, None].clamp(min=1), centers)
    return centers, _assign(inputs, centers)[1]


def _draw(available: int, wanted: int, device: torch.device) -> Tensor:
    if available >= wanted:
        return torch.randperm(available, device=device)[:wanted]
    return torch.randint(available, (wanted,), device=device)


def _assign(inputs: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    distances = centers.square().sum(dim=1) - 2 * inputs @ centers.T
    chosen = F.one_hot(distances.argmin(dim=1), len(centers)).to(inputs.dtype)
    return chosen.T @ inputs, chosen.sum(dim=0)
