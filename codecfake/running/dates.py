"""Timestamps of files. Snakemake rebuilds what is older than its inputs; wrong clocks must not mislead it."""

import json
import os
from pathlib import Path

from codecfake.base import files

AHEAD = 60.0  # seconds that the clocks of a cluster may differ
NOTE = ".{name}.was"  # for a file that must be made again


def bring_back(root: Path, now: float) -> list[Path]:
    """Shift timestamps below `root` that are in the future, so that the newest is `now` (seconds).

    Their order is kept, also relative to earlier files: the shift is at most the clock's error when they were written.
    Returns these files, sorted by name.
    """
    timestamps = {path: path.lstat().st_mtime for path in _files(root)}
    future = sorted(path for path, date in timestamps.items() if date > now + AHEAD)
    shift = max((timestamps[path] for path in future), default=now) - now
    for path in future:
        date = timestamps[path] - shift
        os.utime(path, (date, date), follow_symlinks=False)
    return future


def remember(witness: Path, sha256: str, others: tuple[Path, ...] = ()) -> None:
    """Record the correct sha256 of a file that will be made again, and when it and `others` in its folder were written.

    That is the earliest of their timestamps, since damage may have changed one.
    """
    paths = [path for path in (witness, *others, files.seal_of(witness)) if path.exists()]
    date = min(path.stat().st_mtime_ns for path in paths)
    note = {"sha256": sha256, "date": date, "files": [path.name for path in (witness, *others)]}
    files.write_note(witness.with_name(NOTE.format(name=witness.name)), files.as_json(note))


def give_back(root: Path) -> list[Path]:
    """Restore the timestamps of files below `root` that were remade with equal bytes, so nothing else is rebuilt.

    Files with other bytes keep the new timestamp. Returns the restored files.
    """
    same = []
    for note in sorted(path for path in _files(root) if path.match(NOTE.format(name="*"))):
        witness = note.with_name(note.name.removeprefix(".").removesuffix(".was"))
        if not witness.exists():
            continue
        record = json.loads(note.read_text(encoding="utf-8"))
        if files.sha256(witness) == record["sha256"]:
            paths = [note.with_name(name) for name in record["files"]]
            for path in [*paths, *(seal for seal in map(files.seal_of, paths) if seal.exists())]:
                os.utime(path, ns=(record["date"], record["date"]))
            same.append(witness)
        note.unlink()
    return same


def _files(root: Path) -> list[Path]:
    return [Path(folder) / name for folder, _, names in os.walk(root) for name in names]
