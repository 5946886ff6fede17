"""Features of trials in batches: computed on the fly, or once and held in memory (on disk: `feature_cache`)."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.data import DataLoader, Dataset

from codecfake.base.progress import progress
from codecfake.features import precision
from codecfake.features.clips import Clips

PREFETCHED = 2  # batches that a worker has ready; of 128 clips of 64,600 samples, each takes 33 MB
CPU_SAMPLES = 1 << 16  # that a front-end gets at once on a CPU, where larger tensors only cost time to map

Order = Sequence[np.ndarray]  # the trials of each batch, by number


class Features(Protocol):
    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        """Features `[B, F, D]` of each batch of `order`, on the device of training.

        Clips that are cropped or augmented at random are those of `epoch`, for any number of workers.
        """
        ...


class StreamedFeatures:
    """Audio is decoded in `workers` processes; the front-end runs when its turn comes."""

    def __init__(
        self,
        clips: Clips,
        front_end: nn.Module,
        device: torch.device,
        workers: int = 0,
        front_end_precision: str = precision.EXACT,
    ) -> None:
        self.clips = clips
        self.device = device
        self.workers = workers
        self._front_end = front_end
        self._precision = front_end_precision
        self._checked = front_end_precision == precision.EXACT
        self._load = BatchLoader(clips, workers, pin_memory=device.type == "cuda")

    def __len__(self) -> int:
        return len(self.clips)

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for wav in self._load([(epoch * len(self) + batch).tolist() for batch in order]):
            yield self._of(wav.to(self.device, non_blocking=True))

    def shape(self) -> tuple[int, int, int]:
        """Numbers of trials, frames and dimensions."""
        front_end: Any = self._front_end
        shape = front_end.shape(self.clips.num_samples)
        return len(self), shape.num_frames, shape.dimension

    @torch.no_grad()
    def _of(self, wav: Tensor) -> Tensor:
        if not self._checked:
            precision.require_small_error(self._front_end, wav, self._precision)
            self._checked = True
        pieces = wav.split(max(1, CPU_SAMPLES // wav.shape[1])) if self.device.type == "cpu" else [wav]
        with parametrize.cached():  # weights with a norm of their own are put together once, not for each piece
            return torch.cat([precision.run(self._front_end, piece, self._precision) for piece in pieces])


class CachedFeatures:
    """Features of every trial, computed once, in the order of the list, so they depend on nothing else.

    For a frozen front-end and a small set: 2,700 clips of 100 frames of 64 features take 70 MB.
    """

    def __init__(self, streamed: StreamedFeatures, batch_size: int, name: str) -> None:
        order = in_order(len(streamed), batch_size)
        bar = progress(streamed.batches(order), f"features of {name}", total=len(order), unit="batch")
        self._features = torch.cat(list(bar))

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for batch in order:
            yield self._features[torch.from_numpy(batch).to(self._features.device)]


class BatchLoader:
    """Items of a data set in batches, loaded in `workers` processes that live as long as this does.

    One pass at a time: a new one ends the one before it. At most `workers * PREFETCHED` batches wait to be used.
    """

    def __init__(self, items: Dataset[Tensor], workers: int, pin_memory: bool) -> None:
        self._plan: list[list[int]] = []
        self._loader = DataLoader(
            items,
            batch_sampler=self._plan,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=PREFETCHED if workers > 0 else None,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # which seeds the workers; torch's own would move on with every pass
        )

    def __call__(self, batches: Sequence[list[int]]) -> Iterator[Tensor]:
        """The items of each batch, stacked."""
        self._plan[:] = batches
        return iter(self._loader)


def in_order(num_trials: int, batch_size: int) -> list[np.ndarray]:
    """Batches of trials one after the other; the last one may be smaller."""
    return cut(np.arange(num_trials), batch_size)


def cut(trials: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut a sequence of trial numbers into batches."""
    return [trials[start : start + batch_size] for start in range(0, len(trials), batch_size)]
