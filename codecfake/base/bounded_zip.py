"""Zip archives of unknown origin: neither their table of contents nor their members take more memory than expected."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from codecfake.base.pickle_limits import UnpicklingError

MOST_DIRECTORY_BYTES = 16 << 20  # of a table of contents; enough for 100,000 members
PIECE_BYTES = 1 << 20


class Pieces:
    """A file that is never read in larger pieces than a table of contents may be; `zipfile` reads that in one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, count: int = -1) -> bytes:
        """Raises BadZipFile for a larger piece, before there is memory for it."""
        if count > MOST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its table of contents has {count:,} bytes, at most {MOST_DIRECTORY_BYTES:,}")
        return self._file.read(count)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive with a bounded table of contents. Raises BadZipFile without one."""
    with path.open("rb") as file, zipfile.ZipFile(cast(BinaryIO, Pieces(file))) as archive:
        yield archive


def require_stored(archive: zipfile.ZipFile, num_bytes: int) -> None:
    """Raise UnpicklingError unless all members have their own names and bytes in a file of `num_bytes`."""
    infos = archive.infolist()
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED:
            raise UnpicklingError(f"{info.filename!a} is compressed; torch.save compresses nothing")
    if len(archive.NameToInfo) < len(infos):
        raise UnpicklingError("a zip archive with two members of one name; torch.save did not write it")
    if sum(info.file_size for info in infos) > num_bytes:
        raise UnpicklingError("the members of this zip archive are larger than the file; fetch it again")


def read(archive: zipfile.ZipFile, name: str) -> bytearray:
    """The bytes of a member. Raises KeyError without one of that name, BadZipFile if its checksum is wrong."""
    with archive.open(name) as member:
        data = bytearray(archive.getinfo(name).file_size)
        view = memoryview(data)
        position = 0
        while piece := member.read(PIECE_BYTES):
            view[position : position + len(piece)] = piece
            position += len(piece)
    if position < len(data):
        raise EOFError(f"{name!a} is cut short")
    return data
