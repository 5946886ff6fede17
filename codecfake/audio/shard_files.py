"""The two files of a shard, compared: the tar has exactly the utterances of its index, and their bytes.

Nothing that a file claims is believed. An index can name places outside its tar, a header can announce gigabytes;
what is read is bounded by what is there, and headers are read where the index leaves room for them.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from codecfake.audio import waveforms
from codecfake.audio.shard_index import ShardError
from codecfake.base import files

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 64 * tarfile.BLOCKSIZE  # of one utterance; a long name needs a few blocks
COLUMNS = ("utterance_id", "offset", "num_bytes", "sha256")


@dataclass(frozen=True)
class Entry:
    """One utterance, as the index describes it."""

    utterance_id: str
    offset: int
    num_bytes: int
    sha256: str  # hex, of the FLAC bytes

    @property
    def end(self) -> int:
        """The end of its last block in the tar."""
        return self.offset + -(-self.num_bytes // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def read_entries(index: Path) -> list[Entry]:
    """The utterances of an index, in the order of the tar.

    Raises ShardError for a place that no tar can have, and FileError if the index is damaged.
    """
    entries = [Entry(**row) for row in files.read_arrow(index, COLUMNS).to_pylist()]
    for entry in entries:
        if None in (entry.utterance_id, entry.offset, entry.num_bytes, entry.sha256):
            raise ShardError(f"{index}: damaged: an utterance lacks its id, place or sha256; {files.MAKE_AGAIN}")
        if entry.offset < tarfile.BLOCKSIZE or entry.num_bytes < 1:
            raise ShardError(
                f"{index}: damaged: utterance {entry.utterance_id!r} has {entry.num_bytes} bytes at offset "
                f"{entry.offset}, which no tar can have; {files.MAKE_AGAIN}"
            )
    return sorted(entries, key=lambda entry: entry.offset)


def open_tar(path: Path) -> BinaryIO:
    """Open the tar of a shard. Raises ShardError if it is not a file: a device or a pipe would never end."""
    if not path.is_file():
        what = "is not a file" if path.exists() else "is missing, but its index exists"
        raise ShardError(f"{path}: {what}; {files.MAKE_AGAIN}")
    return path.open("rb")


def has_bytes(tar: BinaryIO, entry: Entry) -> bool:
    """Whether an utterance has its sha256."""
    digest, size = hashlib.sha256(), 0
    for data in chunks(tar, entry):
        digest.update(data)
        size += len(data)
    return size == entry.num_bytes and digest.hexdigest() == entry.sha256


def read_samples(index: Path, entry: Entry) -> tuple[np.ndarray, int]:
    """One utterance of a shard: int16 `[T]` and its sample rate. Raises ShardError if its bytes were damaged."""
    tar_path = index.with_suffix(".tar")
    with open_tar(tar_path) as tar:
        data = b"".join(chunks(tar, entry))
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ShardError(f"{tar_path}: utterance {entry.utterance_id} is damaged; {files.MAKE_AGAIN}")
    return waveforms.decode_int16(data)


def chunks(tar: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The bytes of an utterance, piece by piece; fewer if the tar ends before."""
    if entry.offset > tar.seek(0, io.SEEK_END):
        return
    tar.seek(entry.offset)
    num_bytes = entry.num_bytes
    while num_bytes and (data := tar.read(min(num_bytes, CHUNK_BYTES))):
        num_bytes -= len(data)
        yield data


def member_names(tar: BinaryIO, entries: Sequence[Entry]) -> list[str]:
    """The name of the member of each utterance.

    Raises ShardError, without the path of the tar, if the tar has anything else than one plain member for each.
    """
    start, names = 0, []
    for entry in entries:
        names.append(_member_name(tar, start, entry))
        start = entry.end
    _require_end(tar, start)
    prefixes = {name.removesuffix(_end(entry)) for name, entry in zip(names, entries, strict=True)}
    if len(prefixes) > 1:
        raise ShardError(f"its members do not begin alike, but with {' and '.join(map(repr, sorted(prefixes)[:2]))}")
    for first, second in pairwise(sorted(zip(map(_file_name, names), names, strict=True))):
        if first[0] == second[0]:
            raise ShardError(f"members {first[1]!r} and {second[1]!r} have the same file name")
    return names


def _member_name(tar: BinaryIO, start: int, entry: Entry) -> str:
    """The name in the header between the end of the member before and the data of this one."""
    size = entry.offset - start
    if not tarfile.BLOCKSIZE <= size <= MAX_HEADER_BYTES:
        raise ShardError(f"its members are not those of its index: utterance {entry.utterance_id!r} has no header")
    tar.seek(start)
    header = _only_header(tar.read(size), entry)
    is_plain = header.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not header.issparse()
    if not is_plain or header.size != entry.num_bytes or not header.name.endswith(_end(entry)):
        raise ShardError(
            f"member {header.name!r} ({header.size} bytes) is not utterance {entry.utterance_id!r} "
            f"({entry.num_bytes} bytes) of its index"
        )
    return header.name


def _only_header(data: bytes, entry: Entry) -> tarfile.TarInfo:
    """The header in `data`, which must fill it: another member before it would be one that the index lacks."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as headers:
            header = headers.next()
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise ShardError(f"the header of utterance {entry.utterance_id!r} is damaged ({error})") from error
    if header is None or header.offset_data != len(data):
        raise ShardError(f"there is another member, or none, before the data of utterance {entry.utterance_id!r}")
    return header


def _require_end(tar: BinaryIO, start: int) -> None:
    """Raise ShardError unless the end of the archive follows: zeros up to a whole record, as `tarfile` writes them."""
    records = -(-(start + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE)
    size = tar.seek(0, io.SEEK_END)
    if size != records * tarfile.RECORDSIZE:
        raise ShardError(f"it has {size} bytes, but its index describes {records * tarfile.RECORDSIZE}")
    tar.seek(start)
    if tar.read(size - start).strip(b"\0"):
        raise ShardError("it has more members than its index")


def _end(entry: Entry) -> str:
    """The end of the member's name, after the prefix that all members of a tar share."""
    return f"{entry.utterance_id}.flac"


def _file_name(member: str) -> str:
    return PurePosixPath(member).name
