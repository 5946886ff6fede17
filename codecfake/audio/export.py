"""Exports shards to loose files, with names as in the exported lists: `F01_p225_001.flac`."""

from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pandas as pd
import pyarrow.parquet

from codecfake.audio import shard_files, shard_lists
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import ShardError
from codecfake.base import files
from codecfake.base.exported_names import exported_name
from codecfake.base.hidden_files import visible
from codecfake.base.progress import progress

GENERATED = "generated.tsv"
COLUMNS = (
    "utterance_id", "key", "attack", "generator", "license", "weights_sha256", "codec_weights_sha256", "seed",
    "text", "text_corpus", "text_id", "prompt_id",
)  # fmt: skip


def export(audio_root: Path, to: Path, sources: list[str] | None = None) -> int:
    """Unpack `audio_root/{corpus}/{source}/*.tar` into `to/{corpus}/{source}/`; returns the number of files written.

    `sources` selects sources; None: all. Beside generated fakes, `GENERATED` says how each was made, and under which
    license. Existing files with the right bytes are kept. Raises ShardError if there is
    nothing to unpack, or if a tar differs from its index: then no file of it is written.
    """
    folders = [folder for folder in visible(audio_root.glob("*/*")) if not sources or folder.name in sources]
    tars = [tar for folder in folders for tar in _tars(folder)]
    if not tars:
        raise ShardError(f"{audio_root}: no shards of {', '.join(sources) if sources else 'any source'}")
    origins: dict[str, Path] = {}
    number = sum(
        _unpack(tar, to / tar.parent.relative_to(audio_root), origins)
        for tar in progress(tars, "export", len(tars), "shard")
    )
    for folder in folders:
        _write_generated(folder, to / folder.relative_to(audio_root))
    return number


def _tars(folder: Path) -> list[Path]:
    """The shards of a source. Raises ShardError if one lacks its tar or its index."""
    paths = {path.with_suffix(".tar") for kind in ("tar", "parquet") for path in visible(folder.glob(f"*.{kind}"))}
    lost = shard_lists.missing_shards(folder)
    lost += [path for tar in paths for path in (tar, tar.with_suffix(".parquet")) if not path.exists()]
    if lost:
        raise ShardError(f"{min(lost)}: missing; a shard is a tar and its index. Restore it, or make the shard again")
    return sorted(paths)


def _write_generated(folder: Path, to: Path) -> None:
    """Write the table of generated fakes, if the shards of a source are such."""
    indexes = [
        path for path in visible(folder.glob("*.parquet")) if "generator" in pyarrow.parquet.read_schema(path).names
    ]
    if not indexes:
        return
    table = pd.concat([files.read_parquet(path, COLUMNS) for path in indexes]).sort_values("utterance_id")
    names = table["utterance_id"].map(exported_name) + ".flac"
    rows = table.assign(utterance_id=names).rename(columns={"utterance_id": "file"})
    files.write_note(to / GENERATED, rows.to_csv(sep="\t", index=False, lineterminator="\n"))


def _unpack(tar_path: Path, folder: Path, origins: dict[str, Path]) -> int:
    """Unpack one shard; `origins` has the tar of each file so far, and gets those of this one."""
    entries = shard_files.read_entries(tar_path.with_suffix(".parquet"))
    with shard_files.open_tar(tar_path) as tar:
        names = _names(tar_path, tar, entries)
        for path in (str(folder / name) for name in names):
            if path in origins:
                raise ShardError(f"{origins[path]} and {tar_path}: both have a member for {path}; delete one of them")
            origins[path] = tar_path
        return sum(_write(tar, entry, folder / name) for entry, name in zip(entries, names, strict=True))


def _names(tar_path: Path, tar: BinaryIO, entries: list[Entry]) -> list[str]:
    """The file name of each utterance, once the whole tar is known to be what its index says."""
    try:
        names = shard_files.member_names(tar, entries)
        damaged = [entry.utterance_id for entry in entries if not shard_files.has_bytes(tar, entry)]
        if damaged:
            raise ShardError(f"utterance {damaged[0]!r} is damaged (its sha256 differs from the index)")
    except ShardError as error:
        raise ShardError(f"{tar_path}: {error}; {files.MAKE_AGAIN}") from error
    return [exported_name(PurePosixPath(name).name) for name in names]


def _write(tar: BinaryIO, entry: Entry, path: Path) -> bool:
    """Write one file, if it is not there with the right bytes."""
    if path.is_file() and path.stat().st_size == entry.num_bytes and files.sha256(path) == entry.sha256:
        return False
    with files.atomic(path) as part, part.open("wb") as file:
        for data in shard_files.chunks(tar, entry):
            file.write(data)
    return True
