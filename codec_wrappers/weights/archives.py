"""Extracts one file from an untrusted zip or tar archive; nothing else is written."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, BinaryIO, cast

from codecfake.base import bounded_zip
from codecfake.base.printing import excerpt

COPY_BYTES = 1 << 20
MOST_NAMES = 5
MOST_MEMBERS = 100_000
MOST_PIECE_BYTES = 4 << 20  # read in one piece; tarfile does so with headers, whatever size they declare
MOST_RATIO = 100  # of unpacked to packed bytes; weights hardly shrink
SMALL_BYTES = 64 << 20  # any archive may unpack to this size
FETCH_AGAIN = "remove it and fetch it again"
UNPACKERS: dict[bytes, Callable[[BinaryIO], Any]] = {  # by the first bytes of a file
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


class ArchiveError(ValueError):
    """An archive cannot be used or trusted."""


class _TooLargeError(Exception):
    """Reading would take too much time or memory; tarfile takes some of its own errors for the end of an archive."""


def copy_member(archive: Path, member: str, output: BinaryIO, most_bytes: int) -> None:
    """Write the only member whose path ends with `member` to an open file.

    Raises ArchiveError if any name points outside the archive, if the member is missing, ambiguous, not a plain file
    or larger than `most_bytes`, if the archive is damaged, or if it is neither a zip nor a tar.
    """
    with ExitStack() as stack:
        with _explaining(archive):
            content = stack.enter_context(_open_member(archive, member, most_bytes))
        while piece := _read(archive, content):
            output.write(piece)


def _read(archive: Path, content: IO[bytes]) -> bytes:
    with _explaining(archive):
        return content.read(COPY_BYTES)


@contextmanager
def _explaining(archive: Path) -> Iterator[None]:
    """Turn every error of reading into an ArchiveError: damaged archives can raise anything."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        reason = excerpt(str(error) or type(error).__name__)
        raise ArchiveError(f"{archive}: cannot be read ({reason}); {FETCH_AGAIN}") from error


@contextmanager
def _open_member(archive: Path, member: str, most_bytes: int) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with (
            bounded_zip.open_archive(archive) as reader,
            reader.open(_of_zip(archive, reader, member, most_bytes)) as content,
        ):
            yield content
    else:
        with _open_tar(archive) as tar:
            plain = tar.extractfile(_of_tar(archive, tar, member, most_bytes))
            assert plain is not None, "_of_tar accepts only plain files"
            yield plain


def _of_zip(archive: Path, reader: zipfile.ZipFile, member: str, most_bytes: int) -> zipfile.ZipInfo:
    infos = reader.infolist()
    info = infos[_only(archive, [info.filename for info in infos], member)]
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 if the archive was made on a system without file types
    _refuse(archive, info.filename, kind in (0, stat.S_IFREG) and not info.is_dir(), info.file_size, most_bytes)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveError(
            f"{archive}: member '{excerpt(info.filename)}' is packed by an unusual method; {FETCH_AGAIN}"
        )
    return info


def _of_tar(archive: Path, reader: tarfile.TarFile, member: str, most_bytes: int) -> tarfile.TarInfo:
    infos: list[tarfile.TarInfo] = []
    for info in reader:
        infos.append(info)
        if len(infos) > MOST_MEMBERS:
            raise ArchiveError(f"{archive}: more than {MOST_MEMBERS:,} members; fetch it from another address")
    info = infos[_only(archive, [info.name for info in infos], member)]
    _refuse(archive, info.name, info.isreg() and not info.issparse(), info.size, most_bytes)
    assert reader.fileobj is not None
    while reader.fileobj.read(COPY_BYTES):
        pass  # the checksum of a packed archive is at its end
    return info


@contextmanager
def _open_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    with archive.open("rb") as file, ExitStack() as stack:
        head = file.read(max(map(len, UNPACKERS)))
        file.seek(0)
        unpack = next((unpack for magic, unpack in UNPACKERS.items() if head.startswith(magic)), None)
        stream = file if unpack is None else stack.enter_context(unpack(file))
        most_bytes = max(SMALL_BYTES, MOST_RATIO * archive.stat().st_size)
        try:
            tar = tarfile.open(fileobj=cast(BinaryIO, _Bounded(stream, most_bytes)), mode="r:")  # noqa: SIM115
        except tarfile.ReadError as error:
            raise ArchiveError(f"{archive}: is neither a zip nor a tar archive; {FETCH_AGAIN}") from error
        yield stack.enter_context(tar)


class _Bounded:
    """An unpacked file, read in bounded pieces and up to a bounded position."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        self._file, self._most_bytes = file, most_bytes
        self.tell, self.seekable, self.close = file.tell, file.seekable, file.close

    def seek(self, position: int, whence: int = 0) -> int:
        self._require_room(position)
        return self._file.seek(position, whence)

    def read(self, count: int) -> bytes:
        if not 0 <= count <= MOST_PIECE_BYTES:
            raise _TooLargeError(f"a header declares {count:,} bytes, at most {MOST_PIECE_BYTES:,} are allowed")
        self._require_room(self._file.tell())
        return self._file.read(count)

    def _require_room(self, position: int) -> None:
        if position > self._most_bytes:
            raise _TooLargeError(f"it unpacks to more than {self._most_bytes:,} bytes")


def _only(archive: Path, names: list[str], member: str) -> int:
    """The position of the only name that ends with the path `member`; all names are checked first."""
    for name in names:
        _refuse_escape(archive, name)
    parts = PurePosixPath(member).parts
    matches = [place for place, name in enumerate(names) if PurePosixPath(name).parts[-len(parts) :] == parts]
    if len(matches) != 1:
        alike = sorted(name for name in names if PurePosixPath(name).suffix == PurePosixPath(member).suffix)
        raise ArchiveError(
            f"{archive}: {len(matches)} members end with {member!r}, but there must be one; "
            f"of its {len(names)} members these are similar: {', '.join(map(excerpt, alike[:MOST_NAMES])) or 'none'}"
        )
    return matches[0]


def _refuse_escape(archive: Path, name: str) -> None:
    windows = PureWindowsPath(name)  # splits at both kinds of slashes
    if windows.is_absolute() or windows.drive or name.startswith(("/", "\\")) or ".." in windows.parts:
        raise ArchiveError(
            f"{archive}: member '{excerpt(name)}' points outside the archive (path traversal); "
            f"nothing was unpacked: remove it and fetch it from another address"
        )


def _refuse(archive: Path, name: str, is_plain: bool, num_bytes: int, most_bytes: int) -> None:
    if not is_plain:
        raise ArchiveError(
            f"{archive}: member '{excerpt(name)}' is a link, a folder or a device; only plain files are unpacked"
        )
    if num_bytes > most_bytes:
        raise ArchiveError(
            f"{archive}: member '{excerpt(name)}' unpacks to {num_bytes} bytes; at most {most_bytes} are allowed"
        )
