"""The folder of a corpus as one tar file, in which a run with a storage hands it from job to job."""

import shutil
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
        _extract(tar, folder, Path(place))
        yield Path(place) / folder.stem


def _extract(tar: tarfile.TarFile, archive: Path, place: Path) -> None:
    """Write the regular files of a tar, and nothing outside `place`; tarfile's own filters came with Python 3.11.4."""
    for member in tar:
        path = place / member.name
        if not member.isfile() or not path.resolve().is_relative_to(place.resolve()):
            raise ValueError(f"{archive}: {member.name!r} is not a regular file of the packed folder; pack it again")
        content = tar.extractfile(member)
        assert content is not None  # of a regular file
        path.parent.mkdir(parents=True, exist_ok=True)
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member
