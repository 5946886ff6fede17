"""Opens files that come from outside: only regular ones, since a pipe or a device can hang or never end."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

KINDS = {
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class IrregularFileError(OSError):
    """`filename` is not a regular file, or it is larger than its reader allows; `strerror` says so."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; links are followed.

    Raises IrregularFileError for a pipe, a socket, a device or a folder, without waiting for it; OSError as `open`.
    """
    _require_regular(path.stat(), path)
    # what stands at the path may have changed since; O_NONBLOCK, so that opening a pipe does not wait for its writer
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    try:
        _require_regular(os.fstat(file.fileno()), path)
    except BaseException:
        file.close()
        raise
    return file


def require_regular(path: Path) -> None:
    """Raise as `open_regular`; for readers that open files by name."""
    open_regular(path).close()


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises IrregularFileError, OSError as `open_regular`."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1) if size <= most else b""
    if max(size, len(data)) > most:
        reason = f"it has {max(size, len(data))} bytes, and at most {most} are read; divide it into smaller files"
        raise IrregularFileError(errno.EFBIG, reason, str(path))
    return data


def _require_regular(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "a special file")
        raise IrregularFileError(
            errno.EINVAL, f"it is {kind}, not a regular file; copy its content to a file", str(path)
        )
