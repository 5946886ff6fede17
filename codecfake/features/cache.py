"""Features of a frozen front-end on disk, which runs with several seeds and strategies share.

Each (front-end, its weights, clips) has a folder with `features.f16` `[N, F, D]` (`[N, L, F, D]` of several layers) in
half precision, `digests.sha256` with 32 bytes per trial, and `cache.json`, which describes the features and is written
last. A killed run leaves the first two files, and the next run continues from there. A process checks each trial
against its digest on first reading.
"""

import fcntl
import hashlib
import json
import logging
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.features.settings import MEMORY, NONE
from codecfake.features.streaming import BatchLoader, CachedFeatures, Features, Order, StreamedFeatures, in_order

FEATURES, DIGESTS, RECORD, LOCK = "features.f16", "digests.sha256", "cache.json", "lock"
DIGEST_BYTES = 32
ITEM_BYTES = np.dtype(np.float16).itemsize

log = logging.getLogger(__name__)


class FeatureCacheError(RuntimeError):
    """A feature cache cannot be written or used."""


@dataclass(frozen=True)
class CachePlace:
    """The folder for features, and the size limit of one cache; without a limit, all free space can be used."""

    folder: Path
    limit_bytes: float = float("inf")


def with_cache(
    streamed: StreamedFeatures, kind: str, batch_size: int, name: str, place: CachePlace | None, of: dict[str, Any]
) -> Features:
    """The features with a cache of this `kind` (of `CACHES`); `of` describes front-end and weights, as JSON values.

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
    return DiskFeatures(streamed, batch_size, name, place, of)


class DiskFeatures:
    """Features of every trial, computed once for all runs.

    Raises FeatureCacheError if the disk or the limit is too small, if a feature exceeds half precision, and if files
    were damaged after they were written.
    """

    def __init__(
        self, streamed: StreamedFeatures, batch_size: int, name: str, place: CachePlace, of: dict[str, Any]
    ) -> None:
        identity = {"format": 1, **of, "clips": streamed.clips.digest()}
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._folder = place.folder / key[:20]
        self._device = streamed.device
        with _exclusive_lock(self._folder):
            if not (self._folder / RECORD).is_file():
                _Writer(streamed, self._folder).write(batch_size, name, place, identity)
        self._load = BatchLoader(_Rows(self._folder), streamed.workers, pin_memory=self._device.type == "cuda")

    def batches(self, order: Order, epoch: int = 0) -> Iterator[Tensor]:
        for features in self._load([batch.tolist() for batch in order]):
            yield features.to(self._device, non_blocking=True).float()


def require_undamaged(folder: Path) -> None:
    """Raise FeatureCacheError unless a finished cache is as it was written."""
    rows = _Rows(folder)
    for trial in range(len(rows)):
        rows[trial]


class _Writer:
    """Computes features into a folder, batch by batch, and skips complete batches that are already there."""

    def __init__(self, streamed: StreamedFeatures, folder: Path) -> None:
        self._streamed = streamed
        self._folder = folder
        self._shape = streamed.shape()
        self._trial_bytes = ITEM_BYTES * math.prod(self._shape[1:])
        self._num_bytes = self._shape[0] * (self._trial_bytes + DIGEST_BYTES)

    def write(self, batch_size: int, name: str, place: CachePlace, identity: dict[str, Any]) -> None:
        self._require_room(place)
        with _descriptor(self._folder / FEATURES) as features, _descriptor(self._folder / DIGESTS) as digests:
            os.truncate(features, self._shape[0] * self._trial_bytes)
            os.truncate(digests, self._shape[0] * DIGEST_BYTES)
            order = in_order(len(self._streamed), batch_size)
            missing = [batch for batch in order if not self._is_there(batch, features, digests)]
            bar = progress(
                self._streamed.batches(missing), f"features of {name}, to disk", total=len(missing), unit="batch"
            )
            for batch, features_of_batch in zip(missing, bar, strict=True):
                self._store(batch, _half_precision(features_of_batch), features, digests)
            os.fsync(features)
            os.fsync(digests)
        record = {**identity, "shape": list(self._shape), DIGESTS: files.sha256(self._folder / DIGESTS)}
        files.write_note(self._folder / RECORD, files.as_json(record))

    def _require_room(self, place: CachePlace) -> None:
        own_bytes = sum(path.stat().st_blocks * 512 for path in self._folder.iterdir())
        free = shutil.disk_usage(self._folder).free + own_bytes
        room = min(free, place.limit_bytes)
        if self._num_bytes > room:
            size = " x ".join(map(str, self._shape[1:]))
            what = "the limit allows" if room == place.limit_bytes else "the disk has"
            raise FeatureCacheError(
                f"{place.folder}: the features of {self._shape[0]:,} trials take {self._num_bytes / 1e9:,.3f} GB "
                f"({size} of 2 bytes each), but {what} {room / 1e9:,.3f} GB; give another "
                f"folder or limit, or set cache_features to {NONE}"
            )

    def _is_there(self, batch: np.ndarray, features: int, digests: int) -> bool:
        start, number = int(batch[0]), len(batch)
        stored_digests = os.pread(digests, number * DIGEST_BYTES, start * DIGEST_BYTES)
        if not any(stored_digests):
            return False
        data = os.pread(features, number * self._trial_bytes, start * self._trial_bytes)
        return stored_digests == _digests(data, number)

    def _store(self, batch: np.ndarray, rows: np.ndarray, features: int, digests: int) -> None:
        data = rows.tobytes()
        _write_at(features, data, int(batch[0]) * self._trial_bytes)
        _write_at(digests, _digests(data, len(batch)), int(batch[0]) * DIGEST_BYTES)


class _Rows(Dataset[Tensor]):
    """The features of each trial of a finished cache, `[F, D]` in half precision."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        record = self._record()
        self._shape = tuple(record["shape"])
        self._digests = np.fromfile(folder / DIGESTS, np.uint8)
        size = ITEM_BYTES * int(np.prod(self._shape))
        if files.sha256(folder / DIGESTS) != record[DIGESTS] or (folder / FEATURES).stat().st_size != size:
            raise self._damaged("its size or its digests differ from those that were written")
        self._digests = self._digests.reshape(-1, DIGEST_BYTES)
        self._checked = np.zeros(len(self), dtype=bool)

    def __len__(self) -> int:
        return int(self._shape[0])

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.__dict__.items() if name != "_features"
        }  # the whole array would be copied

    @cached_property
    def _features(self) -> np.ndarray:
        return np.memmap(self._folder / FEATURES, np.float16, "r", shape=self._shape)

    def __getitem__(self, trial: int) -> Tensor:
        row = np.array(self._features[trial])
        if not self._checked[trial]:
            if _digests(row.tobytes(), 1) != self._digests[trial].tobytes():
                raise self._damaged(f"the sha256 of trial {trial} differs from the one that was written")
            self._checked[trial] = True
        return torch.from_numpy(row)

    def _record(self) -> dict[str, Any]:
        try:
            record = files.read_json(self._folder / RECORD)
        except files.FileError as error:
            raise self._damaged(str(error)) from error
        if not {"shape", DIGESTS} <= set(record):
            raise self._damaged(f"{RECORD} lacks the shape or the digest")
        return record

    def _damaged(self, what: str) -> FeatureCacheError:
        return FeatureCacheError(f"{self._folder}: damaged, {what}; delete this folder and run again")


def _half_precision(features: Tensor) -> np.ndarray:
    half = features.half().cpu().numpy()
    if not np.isfinite(half).all():
        raise FeatureCacheError(
            f"features reach {features.abs().max().item():.3g}, above the maximum of half precision, 65504; "
            f"set cache_features to {MEMORY} or {NONE}"
        )
    return half


def _digests(data: bytes, number: int) -> bytes:
    """The concatenated sha256 digests of `number` equal parts."""
    size = len(data) // number
    return b"".join(hashlib.sha256(data[start : start + size]).digest() for start in range(0, number * size, size))


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        num_bytes = os.pwrite(descriptor, view, offset)
        view, offset = view[num_bytes:], offset + num_bytes


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    """A file descriptor for access at offsets; a full disk raises an error, where a memory map would get a signal."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _exclusive_lock(folder: Path) -> Iterator[None]:
    """Let only one process at a time work on a folder; the system releases the lock of a killed process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("%s: waiting for another run that writes these features", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
