"""A partial file, `NAME.part`: only one process writes to it, and it gets its final name when it is complete.

`NAME.part.json` beside it records the server's file of which it is the beginning. Both remain when a process dies, and
the next process continues from there.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from codecfake.base import files

log = logging.getLogger("codecfake.weights")


@dataclass(frozen=True)
class Source:
    """A server's description of a file, which identifies it in later requests."""

    address: str
    etag: str | None
    last_modified: str | None
    num_bytes: int | None
    sha256: str | None

    @property
    def validator(self) -> str | None:
        """The validator of a range request; a weak ETag cannot serve, because files with the same one may differ."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Part:
    """A partial file that only this process writes to."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._notes = path.with_name(path.name + ".json")

    @property
    def num_bytes(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    @property
    def source(self) -> Source | None:
        """The source of the bytes so far; None if unknown."""
        try:
            return Source(**json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def start(self, source: Source | None = None) -> None:
        """Empty the file and record its new source."""
        self._notes.unlink(missing_ok=True)
        self._file.truncate(0)
        if source is not None:
            files.write_note(self._notes, files.as_json(asdict(source)))

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def finish(self, target: Path) -> None:
        """Give the file its name."""
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._notes.unlink(missing_ok=True)

    def discard(self) -> None:
        self._notes.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@contextmanager
def claim(target: Path) -> Iterator[Part | None]:
    """Lock the `.part` of `target` for this process; None if `target` exists, perhaps because another process made it.

    The lock is on the part itself. The kernel releases it when the process ends, however it ends.
    """
    if target.exists():
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(target.name + ".part")
    with _locked(path) as file:
        part = Part(path, file)
        if target.exists():
            part.discard()
            yield None
            return
        try:
            yield part
        finally:
            if path.exists() and part.num_bytes == 0:
                part.discard()


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    while True:
        with path.open("ab") as file:
            _lock(file, path)
            if _is_at(path, file):  # otherwise the process that had the lock renamed or removed the file
                yield file
                return


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("%s: another process is downloading it; waiting", path)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        log.warning("%s: cannot be locked (%s); let no other job fetch the same file now", path, error.strerror)


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
