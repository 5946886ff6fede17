"""Checks finished files: reads them completely and compares them with their recorded digests.

Disks and people can change files without changing their timestamps. Jobs notice this when they read a file; this check
notices earlier, and can delete damaged files so that the workflow makes them again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from codecfake.audio.shard_lists import LIST
from codecfake.base import files, provenance
from codecfake.base.progress import progress
from codecfake.running import dates

MOST_UTTERANCES = 3  # per shard


@dataclass(frozen=True)
class Damage:
    """A finished file that changed since it was written, and all files to delete so that it is made again."""

    path: Path
    what: str
    remove: tuple[Path, ...]


def check(results: Path, workers: int = 1) -> Iterator[Damage]:
    """Damaged files below `results`: shards, then tables, protocols, scores and weights, each sorted by name.

    `workers` processes read one shard each.
    """
    indexes = sorted(results.glob("audio/*/*/*.parquet"))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        damages = progress(pool.map(_shard, indexes), "check of shards", len(indexes), "shard")
        yield from chain.from_iterable(damages)
    for seal in sorted(results.glob(f"**/*{files.SEAL}")):
        yield from _file_with_seal(seal)
    for record in sorted(results.glob(f"weights/*/{provenance.RECORD}")):
        yield from _weights(record)


def delete(damages: Sequence[Damage]) -> list[Path]:
    """Delete what must be made again; returns the deleted files.

    Records the timestamps of all outputs of the same jobs, for `dates.give_back`.
    """
    deleted = list(dict.fromkeys(path for damage in damages for path in damage.remove if path.exists()))
    for folder in dict.fromkeys(damage.path.parent for damage in damages):
        for path, sha256 in _seals_in(folder):
            dates.remember(path, sha256)
    for index in dict.fromkeys(damage.path.with_suffix(".parquet") for damage in damages):
        for other in _of_one_job(index):
            dates.remember(other, files.sha256(other), (other.with_suffix(".tar"),))
    for path in deleted:
        if path.name == LIST:
            dates.remember(path, files.sha256(path))
        path.unlink()
    return deleted


def _shard(index: Path) -> list[Damage]:
    tar, shard_list = index.with_suffix(".tar"), index.with_name(LIST)
    try:
        rows = files.read_arrow(index, ("utterance_id", "offset", "num_bytes", "sha256")).to_pylist()
    except files.FileError as error:
        return [Damage(index, _what(index, error), (index, tar, shard_list))]
    if not tar.is_file():
        return [Damage(tar, "is missing, but its index exists", (index, shard_list))]
    with tar.open("rb") as file:
        bad = [row["utterance_id"] for row in rows if _sha256(file, row["offset"], row["num_bytes"]) != row["sha256"]]
    names = ", ".join(bad[:MOST_UTTERANCES]) + (", …" if len(bad) > MOST_UTTERANCES else "")
    what = f"{len(bad)} of {len(rows)} utterances changed since they were written: {names}"
    return [Damage(tar, what, (index, tar, shard_list))] if bad else []


def _sha256(file, offset: int, num_bytes: int) -> str:  # type: ignore[no-untyped-def]
    file.seek(offset)
    return hashlib.sha256(file.read(num_bytes)).hexdigest()


def _seals_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files with their recorded sha256: one job writes all protocols of a domain, or all scores of a model."""
    for seal in sorted(folder.glob(f"*{files.SEAL}")):
        path = seal.with_name(seal.name.removesuffix(files.SEAL))
        with suppress(files.FileError):
            sha256 = files.sealed_sha256(path)
            if sha256 is not None and path.exists():
                yield path, sha256


def _of_one_job(index: Path) -> list[Path]:
    """The indexes of a shard that the same job writes, which are those of the same codec."""
    codecs = {path: _codec(path) for path in sorted(index.parents[1].glob(f"*/{index.name}"))}
    codec = codecs.get(index)
    return [path for path, other in codecs.items() if other is not None and other == codec]


def _codec(index: Path) -> str | None:
    try:
        return str(files.read_arrow(index, ("codec",))["codec"][0])
    except (files.FileError, IndexError):
        return None


def _file_with_seal(seal: Path) -> Iterator[Damage]:
    path = seal.with_name(seal.name.removesuffix(files.SEAL))
    try:
        sha256 = files.sealed_sha256(path)
    except files.FileError as error:
        yield Damage(seal, _what(seal, error), (seal,))
        return
    if path.exists() and files.sha256(path) != sha256:
        yield Damage(path, f"its sha256 is not the one in {seal.name}", (path,))


def _weights(record: Path) -> Iterator[Damage]:
    """Published weights that differ from the record in their folder."""
    for path, what in provenance.faults(record.parent):
        yield Damage(path, what, (path if path.exists() else record,))


def _what(path: Path, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ").removesuffix(f"; {files.MAKE_AGAIN}")
