"""Where the features of a training come from: the front-end, memory, or a store on disk."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from codecfake.features.parts import FeatureCacheError, Part, sha256
from codecfake.features.settings import MEMORY, NONE
from codecfake.features.store import CachePlace, FeatureStore
from codecfake.features.store_settings import StoreSettings
from codecfake.features.streaming import BatchLoader, CachedFeatures, Features, Order, StreamedFeatures

MAX_OPEN = 512  # files in a process
DIGEST_BYTES = 32


def with_cache(
    streamed: StreamedFeatures, kind: str, batch_size: int, name: str, place: CachePlace | None, store: StoreSettings
) -> Features:
    """The features with a cache of this `kind` (of `CACHES`); `store` describes those on disk.

    Raises FeatureCacheError if clips change with the epoch, or as `DiskFeatures` does.
    """
    if kind == NONE:
        return streamed
    if streamed.clips.vary:
        raise FeatureCacheError(
            f"cache_features is {kind}, but cropping or augmentation changes the clips in every epoch; set it to {NONE}"
        )
    if kind == MEMORY:
        return CachedFeatures(streamed, batch_size, name)
    if place is None:
        raise FeatureCacheError("cache_features is disk; give a folder with --feature-cache FOLDER")
    return DiskFeatures(streamed, FeatureStore(place, store, streamed.front_end))


class DiskFeatures:
    """Features of a store, to which those that it lacks are added first.

    Raises FeatureCacheError as `FeatureStore.fill`. A process checks each clip against its digest on first reading.
    """

    def __init__(self, streamed: StreamedFeatures, store: FeatureStore) -> None:
        self._device = streamed.device
        store.fill(streamed)
        rows = _Rows(store.find(streamed.clips), store.shape)
        self._load = BatchLoader(rows, streamed.workers, pin_memory=self._device.type == "cuda")

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for features in self._load([batch.tolist() for batch in order]):
            yield features.to(self._device, non_blocking=True).float()


class _Rows(Dataset[Tensor]):
    """The stored features of each clip, `[F, D]` or `[L, F, D]`, in half precision."""

    def __init__(self, table: pd.DataFrame, shape: tuple[int, ...]) -> None:
        numbers, paths = pd.factorize(table["path"])
        self._parts = [Part(Path(path), shape) for path in paths]
        self._part_of, self._row_of = numbers, table["row"].to_numpy()
        self._digests = np.frombuffer(bytes.fromhex("".join(table["sha256"])), np.uint8).reshape(-1, DIGEST_BYTES)
        self._checked = np.zeros(len(table), dtype=bool)

    def __len__(self) -> int:
        return len(self._row_of)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_descriptors"}

    def __getitem__(self, trial: int) -> Tensor:
        part, row = self._parts[self._part_of[trial]], int(self._row_of[trial])
        data = self._read(part, row)
        features = np.frombuffer(data, np.float16) if len(data) == part.num_bytes else None
        if features is None or not self._is_undamaged(trial, features):
            raise part.damaged(f"the sha256 of clip {row} differs from the one that was written")
        return torch.from_numpy(features.reshape(part.shape).copy())

    def _is_undamaged(self, trial: int, features: np.ndarray) -> bool:
        if not self._checked[trial]:
            self._checked[trial] = sha256(features) == self._digests[trial].tobytes().hex()
        return bool(self._checked[trial])

    def _read(self, part: Part, row: int) -> bytes:
        if len(self._descriptors) >= MAX_OPEN and part.path not in self._descriptors:
            os.close(self._descriptors.pop(next(iter(self._descriptors))))
        if part.path not in self._descriptors:
            self._descriptors[part.path] = os.open(part.path, os.O_RDONLY)
        return os.pread(self._descriptors[part.path], part.num_bytes, row * part.num_bytes)

    @cached_property
    def _descriptors(self) -> dict[Path, int]:
        return {}

    def __del__(self) -> None:
        for descriptor in self.__dict__.get("_descriptors", {}).values():
            os.close(descriptor)
