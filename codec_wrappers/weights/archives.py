"""Extraction of one file from an untrusted zip or tar; nothing else is written."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

COPY_BYTES = 1 << 20
NAMES_SHOWN = 5


class ArchiveError(ValueError):
    """An archive cannot be used, or is not to be trusted."""


def copy_member(archive: Path, member: str, output: BinaryIO, most_bytes: int) -> None:
    """Write the one member whose path ends with `member` to an open file.

    Raises ArchiveError if any name points outside the archive, if the member is missing, not the only one,
    not a plain file or larger than `most_bytes`, or if the archive is neither a zip nor a tar.
    """
    try:
        with _opened(archive, member, most_bytes) as content:
            shutil.copyfileobj(content, output, COPY_BYTES)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ArchiveError(f"{archive}: cannot be read ({error}); remove it and fetch it again") from error


@contextmanager
def _opened(archive: Path, member: str, most_bytes: int) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened, opened.open(_of_zip(archive, opened, member, most_bytes)) as content:
            yield content
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened_tar:
            plain = opened_tar.extractfile(_of_tar(archive, opened_tar, member, most_bytes))
            assert plain is not None, "only plain files are let through"
            yield plain
    else:
        raise ArchiveError(f"{archive}: is neither a zip nor a tar archive; remove it and fetch it again")


def _of_zip(archive: Path, opened: zipfile.ZipFile, member: str, most_bytes: int) -> zipfile.ZipInfo:
    infos = {info.filename: info for info in opened.infolist()}
    info = infos[_only(archive, list(infos), member)]
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the maker's system has no such thing
    _refuse(archive, info.filename, kind in (0, stat.S_IFREG) and not info.is_dir(), info.file_size, most_bytes)
    return info


def _of_tar(archive: Path, opened: tarfile.TarFile, member: str, most_bytes: int) -> tarfile.TarInfo:
    infos = {info.name: info for info in opened}
    info = infos[_only(archive, list(infos), member)]
    _refuse(archive, info.name, info.isreg(), info.size, most_bytes)
    return info


def _only(archive: Path, names: list[str], member: str) -> str:
    """The one name that ends with the path `member`, after all names were looked at."""
    for name in names:
        _refuse_escape(archive, name)
    wanted = PurePosixPath(member).parts
    found = [name for name in names if PurePosixPath(name).parts[-len(wanted) :] == wanted]
    if len(found) != 1:
        alike = [name for name in names if PurePosixPath(name).suffix == PurePosixPath(member).suffix]
        raise ArchiveError(
            f"{archive}: {len(found)} members end with {member!r}, one is wanted; "
            f"of its {len(names)} members these are alike: {', '.join(sorted(alike)[:NAMES_SHOWN]) or 'none'}"
        )
    return found[0]


def _refuse_escape(archive: Path, name: str) -> None:
    windows = PureWindowsPath(name)  # splits at both kinds of slashes
    if windows.is_absolute() or windows.drive or name.startswith(("/", "\\")) or ".." in windows.parts:
        raise ArchiveError(
            f"{archive}: member {name!r} points outside the archive (path traversal); "
            f"nothing was unpacked: remove it and fetch it from another address"
        )


def _refuse(archive: Path, name: str, is_plain: bool, num_bytes: int, most_bytes: int) -> None:
    if not is_plain:
        raise ArchiveError(f"{archive}: member {name!r} is a link, a folder or a device; only plain files are unpacked")
    if num_bytes > most_bytes:
        raise ArchiveError(f"{archive}: member {name!r} unpacks to {num_bytes} bytes; at most {most_bytes} are allowed")
