"""Imports librosa such that only one process at a time builds its compiled functions.

numba caches each of them in two files, written one after the other (its issue 10128). Processes that fill an empty
cache at the same time leave mismatched pairs, and calling such a function crashes, in that run and in later ones.
So one process builds them, on its first import, and the others wait for it.
"""

import fcntl
import importlib
import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import IO

PARTS = ("core.audio", "core.pitch", "core.spectrum", "util.utils")  # these build functions; imported lazily


@cache
def librosa() -> ModuleType:
    """The package, with all functions built that it builds on import."""
    with _alone():
        for part in PARTS:
            importlib.import_module(f"librosa.{part}")
    return importlib.import_module("librosa")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of this librosa installation; the kernel releases it if the process is killed."""
    with _open_locked():
        yield


def _open_locked() -> IO[bytes]:
    """The package's own first file, which all processes with this cache can see, or a file of this machine."""
    origin = getattr(importlib.util.find_spec("librosa"), "origin", None)
    try:
        return _lock_file(Path(str(origin)), "rb")
    except OSError:  # some network file systems cannot lock a file that is open for reading
        return _lock_file(Path(tempfile.gettempdir()) / "codecfake-librosa.lock", "ab")


def _lock_file(path: Path, mode: str) -> IO[bytes]:
    file = path.open(mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        file.close()
        raise
    return file
