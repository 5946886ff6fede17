"""Dates of files. Snakemake makes again what is older than its input; no clock and no repair should mislead it."""

import json
import os
from pathlib import Path

from codecfake.base import files

AHEAD = 60.0  # seconds that the clocks of a cluster may differ
NOTE = ".{name}.was"  # of a file that is to be made again


def bring_back(root: Path, now: float) -> list[Path]:
    """Shift the dates of files below `root` that are in the future, so that the newest is dated `now` (seconds).

    Their order stays. So does that towards earlier files: they are shifted by no more than the clock was ahead when
    they were written. Gives them in the order of their names.
    """
    found = {path: path.lstat().st_mtime for path in _files(root)}
    future = sorted(path for path, date in found.items() if date > now + AHEAD)
    shift = max((found[path] for path in future), default=now) - now
    for path in future:
        date = found[path] - shift
        os.utime(path, (date, date), follow_symlinks=False)
    return future


def remember(witness: Path, sha256: str, others: tuple[Path, ...] = ()) -> None:
    """Note of a file that will be made again its right sha256, and when it and `others` beside it were written.

    That is the earliest of their dates, as damage may have moved one.
    """
    written = [path for path in (witness, *others, files.seal_of(witness)) if path.exists()]
    date = min(path.stat().st_mtime_ns for path in written)
    note = {"sha256": sha256, "date": date, "files": [path.name for path in (witness, *others)]}
    files.write_json(witness.with_name(NOTE.format(name=witness.name)), note)


def give_back(root: Path) -> list[Path]:
    """Give files below `root` that were made again with the same bytes their old dates: nothing follows from them.

    Those with other bytes keep the new date. Gives the files of the first kind that were noted.
    """
    same = []
    for note in sorted(path for path in _files(root) if path.match(NOTE.format(name="*"))):
        witness = note.with_name(note.name.removeprefix(".").removesuffix(".was"))
        if not witness.exists():
            continue
        told = json.loads(note.read_text(encoding="utf-8"))
        if files.sha256(witness) == told["sha256"]:
            for name in told["files"]:
                os.utime(note.with_name(name), ns=(told["date"], told["date"]))
            same.append(witness)
        note.unlink()
    return same


def _files(root: Path) -> list[Path]:
    return [Path(folder) / name for folder, _, names in os.walk(root) for name in names]
