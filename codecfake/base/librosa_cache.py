"""librosa, whose compiled functions must not be built by several processes at once.

numba keeps each of them in two files, and writes one after the other (its issue 10128). Processes that fill an empty
cache side by side leave pairs that do not fit; whoever calls such a function crashes, in that run and in later ones.
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

PARTS = ("core.audio", "core.pitch", "core.spectrum", "util.utils")  # that build functions; imported late otherwise


@cache
def librosa() -> ModuleType:
    """The package, with everything built that it builds on import."""
    with _alone():
        for part in PARTS:
            importlib.import_module(f"librosa.{part}")
    return importlib.import_module("librosa")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of this installation of librosa; a killed process lets go of it."""
    with _open_locked():
        yield


def _open_locked() -> IO[bytes]:
    """The package's own first file, which all who share the cache beside it see, or one of this machine."""
    origin = getattr(importlib.util.find_spec("librosa"), "origin", None)
    try:
        return _locked(Path(str(origin)), "rb")
    except OSError:  # some network file systems lock nothing that is open for reading
        return _locked(Path(tempfile.gettempdir()) / "codecfake-librosa.lock", "ab")


def _locked(path: Path, mode: str) -> IO[bytes]:
    file = path.open(mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        file.close()
        raise
    return file
