"""Features of trials in batches: computed on the fly, or once and held in memory."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from codecfake.clips import Clips
from codecfake.progress import progress

Order = Sequence[np.ndarray]  # the trials of each batch, by number


class Features(Protocol):
    def batches(self, order: Order) -> Iterator[Tensor]:
        """Features `[B, F, D]` of each batch of `order`, on the device of training."""
        ...


class StreamedFeatures:
    """Audio is decoded in `workers` processes; the front-end runs when its turn comes."""

    def __init__(self, clips: Clips, front_end: nn.Module, device: torch.device, workers: int) -> None:
        self._clips = clips
        self._front_end = front_end
        self._device = device
        self._workers = workers

    def __len__(self) -> int:
        return len(self._clips)

    def batches(self, order: Order) -> Iterator[Tensor]:
        loader = DataLoader(
            self._clips,
            batch_sampler=[batch.tolist() for batch in order],
            num_workers=self._workers,
            pin_memory=self._device.type == "cuda",
        )
        for wav in loader:
            yield self._of(wav.to(self._device, non_blocking=True))

    @torch.no_grad()
    def _of(self, wav: Tensor) -> Tensor:
        return self._front_end(wav)


class CachedFeatures:
    """Features of every trial, computed once, in the order of the list, so they depend on nothing else.

    For a frozen front-end and a small set: 2,700 clips of 100 frames of 64 features take 70 MB.
    """

    def __init__(self, streamed: StreamedFeatures, batch_size: int, name: str) -> None:
        order = in_order(len(streamed), batch_size)
        bar = progress(streamed.batches(order), f"features of {name}", total=len(order), unit="batch")
        self._features = torch.cat(list(bar))

    def batches(self, order: Order) -> Iterator[Tensor]:
        for batch in order:
            yield self._features[torch.from_numpy(batch).to(self._features.device)]


def in_order(num_trials: int, batch_size: int) -> list[np.ndarray]:
    """Batches of trials one after the other; the last one may be smaller."""
    return cut(np.arange(num_trials), batch_size)


def cut(trials: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut a sequence of trial numbers into batches."""
    return [trials[start : start + batch_size] for start in range(0, len(trials), batch_size)]
