"""Audio shards: a plain tar of FLAC files and a parquet index that finds each by offset.

A million loose files break inode quotas and Snakemake's graph; a few hundred tars do not. `tar xf`,
WebDataset and `datasets` read them as they are; we read single utterances with `os.pread`.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from codecfake import audio, files


class ShardError(ValueError):
    """A shard does not hold what its index or the caller says."""


@dataclass(frozen=True)
class Provenance:
    """Where the waveforms of a shard come from; one copy in every row of its index."""

    codec: str  # name of the codec configuration; "none" for recordings as they are
    quantizers: int  # 0 for recordings
    bitrate_kbps: float  # true bit rate; 0 for recordings
    weights_sha256: str  # "" where there are no weights
    version: str  # of codecfake


def cut(durations: pd.Series, num_shards: int) -> np.ndarray:
    """Shard number of each row of `durations` (seconds, ascending): contiguous, about equal in total.

    The cut points are the multiples of total / num_shards, so the numbers depend on the durations alone.
    """
    middle = durations.cumsum() - durations / 2
    return np.minimum((middle / durations.sum() * num_shards).astype(int), num_shards - 1).to_numpy()


def members(utterances: pd.DataFrame, shard: int, num_shards: int) -> pd.DataFrame:
    """The rows of an utterance table that belong to one shard, shortest first.

    Raises ShardError if there are fewer utterances than shards.
    """
    if len(utterances) < num_shards:
        raise ShardError(f"{len(utterances)} utterances cannot fill {num_shards} shards; set a smaller `shards`")
    duration = utterances["num_samples"] / utterances["sample_rate"]
    ordered = utterances.assign(duration=duration).sort_values(["duration", "utterance_id"], kind="stable")
    return ordered[cut(ordered["duration"], num_shards) == shard].drop(columns="duration").reset_index(drop=True)


COLUMNS = (
    "utterance_id", "offset", "num_bytes", "sha256", "num_samples", "sample_rate", "clipped_samples",
    *(column.name for column in fields(Provenance)),
)  # fmt: skip


class ShardWriter:
    """Writes one shard: `{path}` (tar) and the index beside it (`.parquet`), both only when all went well.

    A context manager; `add` takes utterances in the order they are to lie in the tar.
    """

    def __init__(self, tar_path: Path, prefix: str, provenance: Provenance) -> None:
        self._tar_path = tar_path
        self._prefix = prefix
        self._provenance = asdict(provenance)
        self._rows: list[dict[str, object]] = []
        self._atomic = files.atomic(tar_path)

    def __enter__(self) -> "ShardWriter":
        self._tar_path.with_suffix(".parquet").unlink(missing_ok=True)
        self._file = self._atomic.__enter__().open("wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        return self

    def add(self, utterance_id: str, wav: np.ndarray, sample_rate: int) -> None:
        """Append a waveform, float `[T]` with full scale ±1, as 16-bit FLAC."""
        try:
            samples, clipped = audio.to_int16(wav)
        except audio.AudioError as error:
            raise ShardError(f"{self._tar_path}: utterance {utterance_id}: {error}") from error
        data = audio.encode_flac(samples, sample_rate)
        member = tarfile.TarInfo(f"{self._prefix}{utterance_id}.flac")
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        self._rows.append(
            {
                "utterance_id": utterance_id,
                "offset": self._padded_end(len(data)),
                "num_bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "num_samples": len(samples),
                "sample_rate": sample_rate,
                "clipped_samples": clipped,
                **self._provenance,
            }
        )

    def _padded_end(self, num_bytes: int) -> int:
        # addfile has just written the data and padded it to a whole number of 512-byte blocks
        return self._tar.offset - -(-num_bytes // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._tar.close()
        self._file.close()
        self._atomic.__exit__(kind, error, trace)
        if kind is None:
            files.write_parquet(self._tar_path.with_suffix(".parquet"), pd.DataFrame(self._rows, columns=list(COLUMNS)))


class AudioStore:
    """Random access to the utterances of many shards under `root/{corpus}/{source}/`.

    Cheap to pickle: worker processes open the tars anew.
    """

    def __init__(self, root: Path, corpora_and_sources: Iterable[tuple[str, str]]) -> None:
        self._root = root
        self._wanted = sorted(set(corpora_and_sources))
        self._descriptors: dict[str, int] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_descriptors": {}}

    @cached_property
    def _index(self) -> dict[tuple[str, str, str], tuple[str, int, int, str]]:
        return dict(self._entries())

    def _entries(self) -> Iterator[tuple[tuple[str, str, str], tuple[str, int, int, str]]]:
        for corpus, source in self._wanted:
            indexes = sorted((self._root / corpus / source).glob("*.parquet"))
            if not indexes:
                raise ShardError(f"{self._root / corpus / source}: no shards; run the resynthesis of {source} first")
            for path in indexes:
                table = pd.read_parquet(path, columns=["utterance_id", "offset", "num_bytes", "sha256"])
                tar = str(path.with_suffix(".tar"))
                for row in table.itertuples(index=False):
                    yield (corpus, source, row.utterance_id), (tar, row.offset, row.num_bytes, row.sha256)

    def __contains__(self, recording: tuple[str, str, str]) -> bool:
        """Whether the shards hold (corpus, source, utterance_id)."""
        return recording in self._index

    def read_bytes(self, corpus: str, source: str, utterance_id: str) -> bytes:
        """The FLAC bytes of one utterance.

        Raises ShardError if it is in no shard, or if the bytes are not those that were written.
        """
        try:
            tar, offset, num_bytes, sha256 = self._index[corpus, source, utterance_id]
        except KeyError:
            raise ShardError(f"{self._root / corpus / source}: no utterance {utterance_id} in its shards") from None
        data = os.pread(self._descriptor(tar), num_bytes, offset)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ShardError(
                f"{tar}: utterance {utterance_id} is damaged (its sha256 is not the index's); "
                f"delete the shard and its .parquet and run the workflow again"
            )
        return data

    def read(self, corpus: str, source: str, utterance_id: str) -> tuple[np.ndarray, int]:
        """Samples (int16 `[T]`) and sample rate of one utterance; errors as `read_bytes`."""
        return audio.decode_int16(self.read_bytes(corpus, source, utterance_id))

    def _descriptor(self, tar: str) -> int:
        if tar not in self._descriptors:
            self._descriptors[tar] = os.open(tar, os.O_RDONLY)
        return self._descriptors[tar]
