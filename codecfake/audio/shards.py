"""Audio shards: a plain tar of FLAC files, and a parquet index with the offset of each file.

A million loose files exceed inode quotas and overload Snakemake's graph; a few hundred tars do not. `tar xf`,
WebDataset and `datasets` read them directly; here, single utterances are read with `os.pread`.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

from codecfake import __version__
from codecfake.audio import waveforms
from codecfake.audio.shard_index import NO_CODEC, ShardError, ShardIndex, read_index
from codecfake.base import files

MAX_OPEN = 512  # tars that stay open; the usual limit is 1024 files per process, and xie2025 has 1,120 tars


@dataclass(frozen=True)
class Provenance:
    """The origin of the waveforms of a shard, copied into every row of its index."""

    codec: str  # name of the codec configuration; `NO_CODEC` for recordings, and for fakes that a generator made
    quantizers: int  # 0 for recordings
    bitrate_kbps: float  # true bit rate; 0 for recordings, NaN for latents
    weights_sha256: str  # "" where there are no weights
    version: str  # of codecfake
    license: str = ""  # of the codec's code and weights; "" for recordings, which keep their corpus's license


def provenance_of(index: Path) -> Provenance:
    """The origin of a shard, which audio made from it shares; that of recordings for a shard without utterances."""
    names = [column.name for column in fields(Provenance)]
    rows = files.read_arrow(index, names).slice(0, 1).to_pylist()
    return Provenance(**{**rows[0], "version": __version__}) if rows else Provenance(NO_CODEC, 0, 0.0, "", __version__)


def shard_numbers(durations: pd.Series, num_shards: int) -> np.ndarray:
    """The shard number of each row of `durations` (seconds, ascending): contiguous shards of about equal total
    duration.

    Shards end at multiples of total / num_shards, so the numbers depend only on the durations.
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
    by_duration = utterances.assign(duration=duration).sort_values(["duration", "utterance_id"], kind="stable")
    return (
        by_duration[shard_numbers(by_duration["duration"], num_shards) == shard]
        .drop(columns="duration")
        .reset_index(drop=True)
    )


COLUMNS = (
    "utterance_id", "offset", "num_bytes", "sha256", "num_samples", "sample_rate", "clipped_samples",
    *(column.name for column in fields(Provenance)),
)  # fmt: skip


@dataclass(frozen=True)
class Flac:
    """One utterance, encoded for a shard."""

    data: bytes
    sha256: str
    num_samples: int
    sample_rate: int
    clipped_samples: int


def encode(wav: np.ndarray, sample_rate: int) -> Flac:
    """A waveform, float `[T]` with full scale ±1, as 16-bit FLAC. Raises AudioError if a sample is not finite."""
    samples, clipped = waveforms.to_int16(wav)
    data = waveforms.encode_flac(samples, sample_rate)
    return Flac(data, hashlib.sha256(data).hexdigest(), len(samples), sample_rate, clipped)


class ShardWriter:
    """Writes one shard, `{path}` (tar), and its index next to it (`.parquet`), only if no error occurs.

    It is a context manager; `add` and `append` write utterances in the order of the calls.
    """

    def __init__(self, tar_path: Path, prefix: str, provenance: Provenance, more: Sequence[str] = ()) -> None:
        """`more`: further columns of the index, which `append` gets for each utterance."""
        self._tar_path = tar_path
        self._prefix = prefix
        self._columns = [*COLUMNS, *more]
        self._provenance = asdict(provenance)
        self._rows: list[dict[str, object]] = []
        self._stack = ExitStack()

    def __enter__(self) -> "ShardWriter":
        with files.explaining(self._tar_path):
            files.discard(self._tar_path.with_suffix(".parquet"))
            file = self._stack.enter_context(self._stack.enter_context(files.atomic(self._tar_path)).open("wb"))
        self._tar = tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self._stack.push(self._end_tar)
        return self

    def add(self, utterance_id: str, wav: np.ndarray, sample_rate: int) -> None:
        """Append a waveform, float `[T]` with full scale ±1, as 16-bit FLAC."""
        try:
            self.append(utterance_id, encode(wav, sample_rate))
        except waveforms.AudioError as error:
            raise ShardError(f"{self._tar_path}: utterance {utterance_id}: {error}") from error

    def append(self, utterance_id: str, flac: Flac, more: Mapping[str, object] | None = None) -> None:
        """Append the output of `encode`."""
        member = tarfile.TarInfo(f"{self._prefix}{utterance_id}.flac")
        member.size = len(flac.data)
        self._tar.addfile(member, io.BytesIO(flac.data))
        self._rows.append(
            {
                "utterance_id": utterance_id,
                "offset": self._padded_end(len(flac.data)),
                "num_bytes": len(flac.data),
                "sha256": flac.sha256,
                "num_samples": flac.num_samples,
                "sample_rate": flac.sample_rate,
                "clipped_samples": flac.clipped_samples,
                **self._provenance,
                **(more or {}),
            }
        )

    def _padded_end(self, num_bytes: int) -> int:
        # addfile has just written the data and padded it to a whole number of 512-byte blocks
        return self._tar.offset - -(-num_bytes // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE

    def _end_tar(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._tar.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None:
            files.write_parquet(self._tar_path.with_suffix(".parquet"), pd.DataFrame(self._rows, columns=self._columns))


class AudioStore:
    """Random access to the utterances of many shards under `root/{corpus}/{source}/`.

    It can be used in worker processes: they inherit the index, or a copy of it, and open the tars themselves.
    """

    def __init__(self, root: Path, corpora_and_sources: Iterable[tuple[str, str]]) -> None:
        self._descriptors: dict[str, int] = {}
        self._root = root
        self._sources = sorted(set(corpora_and_sources))

    def __del__(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_descriptors": {}}

    @cached_property
    def index(self) -> ShardIndex:
        return read_index(self._root, self._sources)

    def __contains__(self, recording: tuple[str, str, str]) -> bool:
        """Whether the shards have (corpus, source, utterance_id)."""
        return self.index.row(*recording) is not None

    def read_bytes(self, corpus: str, source: str, utterance_id: str) -> bytes:
        """The FLAC bytes of one utterance.

        Raises ShardError if it is in no shard, or if its bytes were damaged.
        """
        row = self.index.row(corpus, source, utterance_id)
        if row is None:
            raise ShardError(f"{self._root / corpus / source}: no utterance {utterance_id} in its shards")
        return self.bytes_of(row)

    def read(self, corpus: str, source: str, utterance_id: str) -> tuple[np.ndarray, int]:
        """Samples (int16 `[T]`) and sample rate of one utterance; errors as `read_bytes`."""
        return waveforms.decode_int16(self.read_bytes(corpus, source, utterance_id))

    def bytes_of(self, row: int) -> bytes:
        """The FLAC bytes of a row of the index. Raises ShardError if they were damaged."""
        entry = self.index.entries[row]
        tar = self.index.tars[entry["tar"]]
        data = self._read(tar, int(entry["offset"]), int(entry["num_bytes"]))
        if hashlib.sha256(data).digest() != self.index.sha256[row].tobytes():
            raise ShardError(
                f"{tar}: utterance {self.index.utterance_ids[row]} is damaged (its sha256 differs from the index); "
                f"{files.MAKE_AGAIN}"
            )
        return data

    def _read(self, tar: str, offset: int, num_bytes: int) -> bytes:
        if tar in self._descriptors:
            return os.pread(self._descriptors[tar], num_bytes, offset)
        descriptor = os.open(tar, os.O_RDONLY)
        if len(self._descriptors) < MAX_OPEN:
            self._descriptors[tar] = descriptor
            return os.pread(descriptor, num_bytes, offset)
        try:
            return os.pread(descriptor, num_bytes, offset)
        finally:
            os.close(descriptor)
