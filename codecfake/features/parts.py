"""The files of stored features: `{shard}-{number}.f16`, half-precision numbers clip after clip, and an index.

The index `.parquet` has a row per clip: the utterance, the sha256 of the recording, and that of the clip's features. It
is written last and has a seal. Numbers without an index are those of a killed job, and are written again.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.hidden_files import visible

STORE, SUFFIX, INDEX = "store.json", ".f16", ".parquet"
UTTERANCE = ["utterance_id", "recording_sha256"]  # identify a clip in a source
ITEM_BYTES = np.dtype(np.float16).itemsize


class FeatureCacheError(RuntimeError):
    """A store of features cannot be written or used."""


@dataclass(frozen=True)
class Part:
    """One file of features, each of `shape`."""

    path: Path
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        """Of the features of one clip."""
        return ITEM_BYTES * math.prod(self.shape)

    def write(self, clips: pd.DataFrame, batches: Iterable[np.ndarray]) -> None:
        """Write the features of `clips`, in their order: `batches` `[B, *shape]`, float16."""
        digests: list[str] = []
        with files.atomic(self.path) as part, part.open("wb") as file:
            for batch in batches:
                file.write(np.ascontiguousarray(batch).data)
                digests += [sha256(features) for features in batch]
        files.write_parquet(self.path.with_suffix(INDEX), clips[UTTERANCE].assign(sha256=digests))

    def index(self) -> pd.DataFrame:
        """A row per clip, in the order of the file. Raises FeatureCacheError if the file has another size."""
        try:
            index = files.read_parquet(self.path.with_suffix(INDEX), [*UTTERANCE, "sha256"])
        except files.FileError as error:
            raise self.damaged("its index differs from the one that was written") from error
        if not self.path.is_file() or self.path.stat().st_size != len(index) * self.num_bytes:
            raise self.damaged("its size differs from the one that was written")
        return index.assign(path=str(self.path), row=np.arange(len(index)))

    def require_undamaged(self) -> None:
        """Raise FeatureCacheError unless all features are as they were written."""
        digests = self.index()["sha256"]
        with self.path.open("rb") as file:
            for row, digest in enumerate(digests):
                if hashlib.sha256(file.read(self.num_bytes)).hexdigest() != digest:
                    raise self.damaged(f"the sha256 of clip {row} differs from the one that was written")

    def damaged(self, what: str) -> FeatureCacheError:
        return FeatureCacheError(
            f"{self.path}: damaged, {what}; delete it and {self.path.with_suffix(INDEX).name}, then give the same "
            f"command again: these features are computed again"
        )


def parts_in(folder: Path, shape: tuple[int, ...]) -> list[Part]:
    """The finished parts of a source, sorted by name."""
    return [Part(index.with_suffix(SUFFIX), shape) for index in visible(folder.glob(f"*{INDEX}"))]


def sha256(features: np.ndarray) -> str:
    """Hex sha256 of the features of one clip."""
    return hashlib.sha256(features.tobytes()).hexdigest()
