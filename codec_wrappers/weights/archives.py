"""Extracts one file from an untrusted zip or tar archive; nothing else is written."""

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
MOST_NAMES = 5


class ArchiveError(ValueError):
    """An archive cannot be used or trusted."""


def copy_member(archive: Path, member: str, output: BinaryIO, most_bytes: int) -> None:
    """Write the only member whose path ends with `member` to an open file.

    Raises ArchiveError if any name points outside the archive, if the member is missing, ambiguous, not a plain file
    or larger than `most_bytes`, or if the archive is neither a zip nor a tar.
    """
    try:
        with _open_member(archive, member, most_bytes) as content:
            shutil.copyfileobj(content, output, COPY_BYTES)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ArchiveError(f"{archive}: cannot be read ({error}); remove it and fetch it again") from error


@contextmanager
def _open_member(archive: Path, member: str, most_bytes: int) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as reader, reader.open(_of_zip(archive, reader, member, most_bytes)) as content:
            yield content
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            plain = tar.extractfile(_of_tar(archive, tar, member, most_bytes))
            assert plain is not None, "_of_tar accepts only plain files"
            yield plain
    else:
        raise ArchiveError(f"{archive}: is neither a zip nor a tar archive; remove it and fetch it again")


def _of_zip(archive: Path, reader: zipfile.ZipFile, member: str, most_bytes: int) -> zipfile.ZipInfo:
    infos = {info.filename: info for info in reader.infolist()}
    info = infos[_only(archive, list(infos), member)]
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 if the archive was made on a system without file types
    _refuse(archive, info.filename, kind in (0, stat.S_IFREG) and not info.is_dir(), info.file_size, most_bytes)
    return info


def _of_tar(archive: Path, reader: tarfile.TarFile, member: str, most_bytes: int) -> tarfile.TarInfo:
    infos = {info.name: info for info in reader}
    info = infos[_only(archive, list(infos), member)]
    _refuse(archive, info.name, info.isreg(), info.size, most_bytes)
    return info


def _only(archive: Path, names: list[str], member: str) -> str:
    """The only name that ends with the path `member`; all names are checked first."""
    for name in names:
        _refuse_escape(archive, name)
    parts = PurePosixPath(member).parts
    matches = [name for name in names if PurePosixPath(name).parts[-len(parts) :] == parts]
    if len(matches) != 1:
        alike = [name for name in names if PurePosixPath(name).suffix == PurePosixPath(member).suffix]
        raise ArchiveError(
            f"{archive}: {len(matches)} members end with {member!r}, but there must be one; "
            f"of its {len(names)} members these are similar: {', '.join(sorted(alike)[:MOST_NAMES]) or 'none'}"
        )
    return matches[0]


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
