"""The index of many shards: a table with less than 100 bytes per utterance, which processes share.

The rows of a source are sorted by utterance id and searched by bisection. They are stored in arrays, not in Python
objects, so forked workers share the memory, and a million rows are read in seconds.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from codecfake.audio import shard_lists
from codecfake.base import files
from codecfake.base.hidden_files import visible

ENTRY = np.dtype([("offset", "u8"), ("num_bytes", "u4"), ("num_samples", "u4"), ("sample_rate", "u4"), ("tar", "u4")])
SCHEMA = pa.schema(
    [
        ("utterance_id", pa.string()),
        ("sha256", pa.binary(32)),
        ("offset", pa.uint64()),
        ("num_bytes", pa.uint32()),
        ("num_samples", pa.uint32()),
        ("sample_rate", pa.uint32()),
        ("tar", pa.uint32()),
    ]
)
ORIGIN = ("weights_sha256", "codec")  # columns of an index
# columns that degraded audio has of a codec that it went through after its own
SECOND_CODEC = (
    "second_codec", "second_quantizers", "second_bitrate_kbps", "second_weights_sha256", "second_license",
)  # fmt: skip
SECOND_ORIGIN = "second_weights_sha256"
NO_CODEC = "none"  # of recordings, and of fakes that a generator made
# source, and corpus or `SECOND_ORIGIN` -> digest of weights -> a shard made with them
MadeWith = dict[tuple[str, str], dict[str, str]]


class ShardError(ValueError):
    """A shard does not have the content that its index or the caller expects."""


@dataclass(frozen=True)
class ShardIndex:
    """The utterances of some sources, one row each."""

    sources: dict[tuple[str, str], range]  # (corpus, source) -> its rows
    tars: list[str]
    utterance_ids: pa.StringArray  # [N], ascending within a source
    entries: np.ndarray  # [N] of ENTRY
    sha256: np.ndarray  # [N, 32], uint8: of the FLAC bytes

    @property
    def nbytes(self) -> int:
        return self.utterance_ids.nbytes + self.entries.nbytes + self.sha256.nbytes

    def row(self, corpus: str, source: str, utterance_id: str) -> int | None:
        """The row of one utterance; None if it is not in the index."""
        rows = self.sources.get((corpus, source), range(0))
        place = bisect_left(rows, utterance_id, key=lambda row: self.utterance_ids[row].as_py())
        exists = place < len(rows) and self.utterance_ids[rows[place]].as_py() == utterance_id
        return rows[place] if exists else None

    def rows(self, recordings: pd.DataFrame) -> np.ndarray:
        """The row of each of `recordings` (columns corpus, source, utterance_id), -1 if it is not in the index."""
        result = np.full(len(recordings), -1, dtype=np.int64)
        for name, places in recordings.groupby(["corpus", "source"], sort=False).indices.items():
            rows = self.sources.get(name, range(0))
            ids = pa.array(recordings["utterance_id"].to_numpy()[places], pa.string())
            place = pc.index_in(ids, self.utterance_ids[rows.start : rows.stop])
            result[places] = pc.fill_null(pc.add(place.cast(pa.int64()), rows.start), -1)
        return result

    def name(self, row: int) -> tuple[str, str, str]:
        """(corpus, source, utterance_id) of a row."""
        corpus, source = next(name for name, rows in self.sources.items() if row in rows)
        return corpus, source, self.utterance_ids[row].as_py()


def read_index(root: Path, corpora_and_sources: Iterable[tuple[str, str]]) -> ShardIndex:
    """Read the indexes of the shards under `root/{corpus}/{source}/`.

    Raises ShardError if a source has no shards, if two of its shards have the same utterance, or if they were made with
    different weights; FileError if an index is damaged.
    """
    names = sorted(set(corpora_and_sources))
    tars: list[str] = []
    made_with: MadeWith = {}
    tables = [_source(root / corpus / source, tars, made_with) for corpus, source in names]
    ends = np.cumsum([0, *(len(table) for table in tables)]).tolist()
    sources = {name: range(*ends[place : place + 2]) for place, name in enumerate(names)}
    whole = pa.concat_tables([SCHEMA.empty_table(), *tables]).combine_chunks()
    entries = np.empty(len(whole), ENTRY)
    for column in ENTRY.names or ():
        entries[column] = whole[column].to_numpy()
    return ShardIndex(sources, tars, whole["utterance_id"].combine_chunks(), entries, _bytes(whole["sha256"]))


def _source(folder: Path, tars: list[str], made_with: MadeWith) -> pa.Table:
    """The rows of one source, sorted by id; appends its tars to `tars`, and adds their weights to `made_with`."""
    _require_all(folder)
    parts = []
    for path in visible(folder.glob("*.parquet")):
        table = files.read_arrow(path, (*SCHEMA.names[:-1], *ORIGIN), (SECOND_ORIGIN,))
        _require_places(path, table)
        _add_origins(path, table, made_with)
        parts.append(_with_types(path, table.select(SCHEMA.names[:-1]), len(tars)))
        tars.append(str(path.with_suffix(".tar")))
    if not parts:
        raise ShardError(f"{folder}: no shards; run the resynthesis of {folder.name} first")
    table = pa.concat_tables(parts).sort_by("utterance_id")
    _require_distinct(table, tars)
    return table


def _require_places(path: Path, table: pa.Table) -> None:
    """Raise ShardError if an index names places outside its tar: reading them could fill the memory."""
    tar = path.with_suffix(".tar")
    size = tar.stat().st_size if tar.exists() else np.inf
    offsets, sizes = (table[name].to_numpy().astype(float) for name in ("offset", "num_bytes"))
    wrong = np.flatnonzero(~((offsets >= 0) & (sizes >= 0) & (offsets + sizes <= size)))  # also where one is missing
    if len(wrong):
        row = int(wrong[0])
        raise ShardError(
            f"{tar}: utterance {table['utterance_id'][row].as_py()} is damaged or has a wrong place in {path.name} "
            f"({table['num_bytes'][row]} bytes at offset {table['offset'][row]}, but the tar has {size}); "
            f"{files.MAKE_AGAIN}"
        )


def _with_types(path: Path, table: pa.Table, tar: int) -> pa.Table:
    """The rows of one index, with digests as bytes and the number of the tar."""
    try:
        digests = pa.array([bytes.fromhex(text) for text in table["sha256"].to_pylist()], pa.binary(32))
        table = table.set_column(table.column_names.index("sha256"), "sha256", digests)
        return table.append_column("tar", pa.array(np.full(len(table), tar))).cast(SCHEMA)
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise ShardError(f"{path}: damaged: {error}; {files.MAKE_AGAIN}") from error


def _require_all(folder: Path) -> None:
    missing = shard_lists.missing_shards(folder)
    if missing:
        raise ShardError(
            f"{folder}: {len(missing)} of the shards in {shard_lists.LIST} are missing; make them again: "
            f"snakemake -- {' '.join(map(str, missing))}"
        )


def _add_origins(path: Path, table: pa.Table, made_with: MadeWith) -> None:
    """Add the weights of a shard. A codec has the same in all corpora, and each generated corpus its own."""
    columns = [name for name in (*ORIGIN, SECOND_ORIGIN) if name in table.column_names]
    for row in table.group_by(columns).aggregate([]).to_pylist():
        of_corpus = path.parents[1].name if row["codec"] == NO_CODEC else ""
        digests = {of_corpus: row["weights_sha256"]}
        if SECOND_ORIGIN in row:
            digests[SECOND_ORIGIN] = row[SECOND_ORIGIN]
        for place, weights in digests.items():
            origins = made_with.setdefault((path.parent.name, place), {})
            origins.setdefault(weights, str(path.with_suffix(".tar")))
            _require_one_origin(origins)


def _require_one_origin(made_with: dict[str, str]) -> None:
    if len(made_with) > 1:
        tars = " and ".join(f"{tar} with the sha256 {weights or '(none)'}" for weights, tar in made_with.items())
        raise ShardError(
            f"all shards of a source must come from the same weights, but these were made with different ones: {tars}. "
            f"Restore the right weights, delete the shards of the others (see weights_sha256 in their .parquet files), "
            f"and give the same command again"
        )


def _require_distinct(table: pa.Table, tars: list[str]) -> None:
    ids = table["utterance_id"].combine_chunks()
    row = pc.index(pc.equal(ids[1:], ids[:-1]), True).as_py() if len(ids) else -1
    if row >= 0:
        first, second = sorted(tars[table["tar"][at].as_py()] for at in (row, row + 1))
        raise ShardError(
            f"{first} and {second} both have utterance {ids[row]}; delete the shards of an earlier run with another "
            f"number of shards"
        )


def _bytes(digests: pa.ChunkedArray) -> np.ndarray:
    """Fixed-width bytes as an array `[N, 32]`."""
    return np.frombuffer(b"".join(digests.to_pylist()), np.uint8).reshape(-1, 32)
