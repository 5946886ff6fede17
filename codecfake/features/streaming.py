"""Features of trials in batches, computed on the fly, or once and cached in memory (on disk: `features.cache`)."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.data import DataLoader, Dataset

from codecfake.base import processes
from codecfake.base.parallel import ALONE, Team
from codecfake.base.progress import progress
from codecfake.features import half_precision, precision
from codecfake.features.clips import Clips
from codecfake.features.settings import FULL, ROUNDED

PREFETCHED = 2  # batches that each worker has ready; a batch of 128 clips of 64,600 samples takes 33 MB
FLOAT_BYTES = 4
GPU_SHARE = 0.5  # of a GPU's free memory that kept features may take; training needs the rest
CPU_SAMPLES = 1 << 16  # of a front-end's input on a CPU, where larger tensors are slower to allocate

Order = Sequence[np.ndarray]  # the trial numbers of each batch


class Features(Protocol):
    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        """Features `[B, F, D]`, or `[B, L, F, D]`, of each batch of `order`, or its clips `[B, T]`, on the device.

        Random crops and augmentations depend on `epoch`, and not on the number of workers.
        """
        ...


@dataclass(frozen=True)
class Part:
    """One process's clips `[B, T]` of a batch of `length`."""

    clips: Tensor
    length: int


class StreamedClips:
    """Decodes audio in `workers` processes: the clips themselves `[B, T]`, for a front-end that is trained.

    In a team of processes, each streams its part of a batch.
    """

    def __init__(self, clips: Clips, device: torch.device, workers: int = 0, team: Team = ALONE) -> None:
        self.clips, self.device, self.workers, self._team = clips, device, workers, team
        stacked = clips.stacked if clips.differ_in_length else None
        self._load = BatchLoader(clips, workers, device.type == "cuda", stacked)

    def __len__(self) -> int:
        return len(self.clips)

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Any]:
        for part in self.parts(order, epoch):
            yield part.clips if self._team.size == 1 else part

    def parts(self, order: Order, epoch: int) -> Iterator[Part]:
        """This process's part of each batch."""
        loaded = self._load([(epoch * len(self) + self._team.part(batch)).tolist() for batch in order])
        for wav, batch in zip(loaded, order, strict=True):
            yield Part(wav.to(self.device, non_blocking=True), len(batch))


class StreamedFeatures(StreamedClips):
    """Runs the frozen front-end for each batch of clips; in a team, each process runs it for a part of the batch."""

    def __init__(
        self,
        clips: Clips,
        front_end: nn.Module,
        device: torch.device,
        workers: int = 0,
        front_end_precision: str = precision.EXACT,
        team: Team = ALONE,
        feature_precision: str = FULL,
    ) -> None:
        super().__init__(clips, device, workers, team)
        self.is_rounded = feature_precision == ROUNDED
        self.front_end: Any = front_end
        self._precision = front_end_precision
        self._frozen: nn.Module | None = None  # with its weights in this precision

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for part in self.parts(order, epoch):
            yield self._team.whole(self._of(part.clips), part.length)

    def shape(self) -> tuple[int, ...]:
        """Numbers of trials, layers if there are several, frames and dimensions."""
        shape = self.front_end.shape(self.clips.num_samples)
        layers = (shape.num_layers,) if shape.num_layers > 1 else ()
        return len(self), *layers, shape.num_frames, shape.dimension

    @torch.no_grad()
    def _of(self, wav: Tensor) -> Tensor:
        if self._frozen is None:
            self._frozen = self._in_precision(wav)
        with parametrize.cached():  # weight normalization is computed once, not for each piece
            return half_precision.computed(self._run, wav) if self.is_rounded else self._in_pieces(wav)

    def _in_precision(self, wav: Tensor) -> nn.Module:
        """The front-end with its weights in its precision, after a check of a batch."""
        if self._precision != precision.EXACT:
            precision.require_small_error(self.front_end, wav, self._precision)
        return precision.rounded(self.front_end, self._precision)

    def _in_pieces(self, wav: Tensor) -> Tensor:
        pieces = wav.split(max(1, CPU_SAMPLES // wav.shape[1])) if self.device.type == "cpu" else [wav]
        return torch.cat([self._run(piece) for piece in pieces])

    def _run(self, wav: Tensor) -> Tensor:
        assert self._frozen is not None  # `_of` sets it
        return precision.run(self._frozen, wav, self._precision)


class CachedFeatures:
    """Features of every trial, computed once in the order of the list, so the order of batches does not affect them.

    This is for frozen front-ends and small sets: 2,700 clips of 100 frames of 64 features take 70 MB. Features that
    would fill more than half of a GPU's free memory stay in the CPU's, and each batch is copied.
    """

    def __init__(self, streamed: StreamedFeatures, batch_size: int, name: str) -> None:
        order = in_order(len(streamed), batch_size)
        bar = progress(streamed.batches(order), f"features of {name}", total=len(order), unit="batch")
        self._device = streamed.device
        home = _home(self._device, FLOAT_BYTES * math.prod(streamed.shape()))
        self._features = torch.cat([features.to(home) for features in bar])

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for batch in order:
            trials = torch.from_numpy(batch)
            if self._features.device.type == "cuda":
                trials = trials.pin_memory().to(self._device, non_blocking=True)
            features = self._features[trials]
            if features.device.type != self._device.type:
                features = features.pin_memory().to(self._device, non_blocking=True)
            yield features


def _home(device: torch.device, num_bytes: int) -> torch.device:
    """Where features of `num_bytes` stay during a training on `device`."""
    if device.type != "cuda":
        return device
    free, _ = torch.cuda.mem_get_info(device)
    return device if num_bytes <= GPU_SHARE * free else torch.device("cpu")


class BatchLoader:
    """Items of a data set in batches, loaded in `workers` processes that live as long as this object.

    A new pass ends the previous one. At most `workers * PREFETCHED` batches wait to be used.
    """

    def __init__(
        self,
        items: Dataset[Tensor],
        workers: int,
        pin_memory: bool,
        stacked: Callable[[list[Tensor]], Tensor] | None = None,
    ) -> None:
        """`stacked` makes a batch of items whose shapes differ."""
        self._plan: list[list[int]] = []
        if workers:
            processes.require_shared_memory()
        self._loader = DataLoader(
            items,
            batch_sampler=self._plan,
            collate_fn=stacked,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=PREFETCHED if workers > 0 else None,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # seeds the workers; torch's global generator is not advanced
        )

    def __call__(self, batches: Sequence[list[int]]) -> Iterator[Tensor]:
        """The items of each batch, stacked."""
        self._plan[:] = batches
        return iter(self._loader)


def in_order(num_trials: int, batch_size: int) -> list[np.ndarray]:
    """Batches of all trials in order; the last one may be smaller."""
    return split_into_batches(np.arange(num_trials), batch_size)


def split_into_batches(trials: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Split a sequence of trial numbers into batches."""
    return [trials[start : start + batch_size] for start in range(0, len(trials), batch_size)]
