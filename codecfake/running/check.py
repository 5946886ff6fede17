"""Checks finished files: reads them completely and compares them with their recorded digests.

Disks and people can change files without changing their timestamps. Jobs notice this when they read a file; this check
notices earlier, and can delete damaged files so that the workflow makes them again.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from codecfake.audio import shard_files
from codecfake.audio.shard_index import ShardError
from codecfake.audio.shard_lists import LIST
from codecfake.base import files, processes, provenance
from codecfake.base.progress import progress
from codecfake.features import parts
from codecfake.features.parts import STORE
from codecfake.running import dates, finished_files

MOST_UTTERANCES = 3  # per shard


@dataclass(frozen=True)
class Damage:
    """A finished file that changed since it was written, and all files to delete so that it is made again."""

    path: Path
    what: str
    remove: tuple[Path, ...]


def check(results: Path, workers: int = 1) -> Iterator[Damage]:
    """Damaged files below `results`: shards, then all files with a seal, then others, each sorted by name.

    `workers` processes read one shard each.
    """
    indexes = sorted(results.glob("audio/*/*/*.parquet"))
    paths: set[Path] = set()
    processes.require_shared_memory()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        damages = progress(pool.map(_shard, indexes), "check of shards", len(indexes), "shard")
        for damage in chain(chain.from_iterable(damages), _others(results)):
            if damage.path not in paths:
                yield damage
            paths.add(damage.path)


def _others(results: Path) -> Iterator[Damage]:
    for tar in sorted(results.glob(finished_files.TARS)):
        if not tar.with_suffix(".parquet").exists():
            yield Damage(tar, "has no index beside it", (tar,))
    for record in sorted(results.glob(f"weights/*/{provenance.RECORD}")):
        yield from _weights(record)
    for seal in finished_files.seals(results):
        yield from _file_with_seal(seal)
    yield from _demo(results / "demo")
    yield from _features(results / "features")
    for path, what in finished_files.faults_of_form(results):
        yield Damage(path, what, (path, *finished_files.maker(path)))


def delete(damages: Sequence[Damage]) -> list[Path]:
    """Delete what must be made again; returns the deleted files.

    Records the timestamps of all outputs of the same jobs, for `dates.give_back`.
    """
    deleted = list(dict.fromkeys(path for damage in damages for path in damage.remove if path.exists()))
    for folder in dict.fromkeys(path.parent for path in deleted):
        for path, sha256 in _seals_in(folder):
            dates.remember(path, sha256, _tar_of(path))
    for index in dict.fromkeys(damage.path.with_suffix(".parquet") for damage in damages):
        for other in _of_one_job(index):
            dates.remember(other, files.sha256(other), _tar_of(other))
    for path in deleted:
        if path.name == LIST and not files.seal_of(path).exists():
            dates.remember(path, files.sha256(path))
        files.discard(path)
    return deleted


def _shard(index: Path) -> list[Damage]:
    """The damage of a shard, whatever is in its two files; an error of the disk is damage too."""
    tar = index.with_suffix(".tar")
    remove = (index, tar, index.with_name(LIST))
    if damages := list(_file_with_seal(files.seal_of(index))):
        return [replace(damage, remove=remove) if damage.path == index else damage for damage in damages]
    try:
        entries = shard_files.read_entries(index)
    except (files.FileError, ShardError, OSError) as error:
        return [Damage(index, _what(index, error), remove)]
    try:
        with shard_files.open_tar(tar) as file:
            bad = [entry.utterance_id for entry in entries if not shard_files.has_bytes(file, entry)]
            if not bad:
                shard_files.member_names(file, entries)
                return []
    except (ShardError, OSError) as error:
        return [Damage(tar, _what(tar, error), remove)]
    names = ", ".join(bad[:MOST_UTTERANCES]) + (", …" if len(bad) > MOST_UTTERANCES else "")
    return [Damage(tar, f"{len(bad)} of {len(entries)} utterances changed since they were written: {names}", remove)]


def _tar_of(path: Path) -> tuple[Path, ...]:
    """The tar of an index, which the same job writes."""
    return (path.with_suffix(".tar"),) if path.with_suffix(".tar").exists() else ()


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
        if files.differs_from_seal(path):
            yield Damage(path, f"its sha256 is not the one in {seal.name}", (path, *finished_files.maker(path)))
    except files.FileError as error:
        yield Damage(seal, _what(seal, error), (seal,))
    except OSError as error:
        yield Damage(path, _what(path, error), (path, *finished_files.maker(path)))


def _weights(record: Path) -> Iterator[Damage]:
    """Published weights that differ from the record in their folder."""
    for path, what in provenance.faults(record.parent):
        yield Damage(path, what, (path if path.exists() else record,))


def _demo(folder: Path) -> Iterator[Damage]:
    """Files of the demo's corpora that differ from their list; without the list, the demo is made again."""
    from codecfake.demo import corpora

    for path, what in corpora.faults(folder):
        yield Damage(path, what, (folder / corpora.CHECKSUMS,))


def _features(folder: Path) -> Iterator[Damage]:
    """Stored features that are not as they were written; they are computed again when they are needed."""
    for record in sorted(folder.glob(f"*/*/{STORE}")):
        shape = tuple(files.read_json(record)["shape"])
        for source in sorted(record.parent.glob("*/*/")):
            for part in parts.parts_in(source, shape):
                try:
                    part.require_undamaged()
                except (parts.FeatureCacheError, OSError) as error:
                    yield Damage(part.path, _what(part.path, error), (part.path, part.path.with_suffix(parts.INDEX)))


def _what(path: Path, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ").removesuffix(f"; {files.MAKE_AGAIN}").removesuffix(f"; {files.RESTORE}")
