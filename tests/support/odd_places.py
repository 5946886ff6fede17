"""What can stand in place of a file and must not be read: it never ends, or it blocks."""

import os
from pathlib import Path


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
