"""The folder of a corpus as one tar file, in which a run with a storage hands it from job to job."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codecfake.base import files

SUFFIX = ".tar"


def pack(folder: Path, archive: Path) -> None:
    """Write a folder as a tar; the same content gives the same bytes."""
    with files.atomic(archive) as part, tarfile.open(part, "w") as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            tar.add(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", filter=_without_owner)


@contextmanager
def unpacked(folder: Path) -> Iterator[Path]:
    """`folder` itself; if it is a tar by `pack`, a folder with its content, which is removed after the block."""
    if folder.suffix != SUFFIX or folder.is_dir():
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="corpus-") as place, tarfile.open(folder) as tar:
        tar.extractall(place, filter="data")
        yield Path(place) / folder.stem


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member
