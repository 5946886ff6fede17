"""What the structure of an audio file says of its samples, and the checks that several forms share."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MOST_PADDING = 7  # zeros behind the samples: chunks begin at multiples of up to 8 bytes
PRINTABLE = range(0x20, 0x7F)
TAGS = (b"TAG", b"ID3", b"3DI", b"APETAGEX", b"LYRICSBEGIN")  # that players write behind the samples
CHUNKS = {b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"JUNK", b"PAD ", b"cue ", b"smpl", b"fact", b"PEAK", b"_PMX"}
REPAIR = "e.g. `sox --ignore-length IN OUT.wav` or `ffmpeg -ignore_length 1 -i IN OUT.wav`"
RECORDINGS = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS", b"NIST_1A\n", b"caff\0\1", b".snd\0\0", b"riff.\x91\xcf\x11")


class AudioError(ValueError):
    """A recording cannot be used; the message says why."""


def compressed(coding: str, form: str) -> AudioError:
    """The error for samples that do not have bytes of their own."""
    return AudioError(
        f"its samples are compressed as {coding}, whose exact length the form {form} does not say; convert it, e.g. "
        f"`ffmpeg -i IN -c:a pcm_s16le OUT.wav`"
    )


@dataclass(frozen=True)
class Content:
    """The samples of a file, by its structure alone."""

    num_frames: int | None  # samples of each channel; None if only the decoder can tell
    data: bytes  # what the decoder reads: the file, or an equivalent one that it reads to the end
    is_proven: bool = True  # else, the decoder must be asked for more samples and have none


def unpack(form: str, data: bytes, start: int) -> tuple[int, ...]:
    """The numbers at `start`, by a `struct` format. Raises AudioError if the file ends before."""
    if start < 0 or start + struct.calcsize(form) > len(data):
        raise AudioError("truncated: the file ends within its header")
    return struct.unpack_from(form, data, start)


def chunks(data: bytes, start: int, order: str = "<") -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk of a RIFF or IFF file; chunks are padded to an even size."""
    while start + 8 <= len(data):
        name = data[start : start + 4]
        (size,) = struct.unpack_from(f"{order}I", data, start + 4)
        yield name, start + 8, size
        start += 8 + size + size % 2


def frames(data: bytes, start: int, size: int, frame_bytes: int) -> int:
    """The number of frames in the `size` bytes from `start` that a header promises.

    Raises AudioError if not all of them are there.
    """
    if frame_bytes <= 0:
        raise AudioError(f"its header says that a sample has {frame_bytes} bytes; encode it again")
    present = max(0, len(data) - start)
    if present < size:
        raise AudioError(f"truncated: its header promises {size} bytes of samples, of which {present} are there")
    return size // frame_bytes


def no_chunk(data: bytes, start: int) -> bool:
    """For forms that have nothing after their samples."""
    return False


def require_nothing_more(data: bytes, start: int, end: int, is_chunk: Callable[[bytes, int], bool] = no_chunk) -> None:
    """Raise AudioError unless the samples from `start` to `end` are followed by chunks, tags, zeros or nothing.

    Any other bytes may be samples that the header does not count, or a second recording.
    """
    size = end - start
    while data.startswith(b"\0", end) and end < start + size + MOST_PADDING:
        end += 1
    rest = len(data) - end
    if rest <= 0 or data.count(0, end) == rest or data.startswith(TAGS, end):
        return
    if data.startswith(RECORDINGS, end):
        raise AudioError(f"another recording begins at byte {end}; divide the file, so that each has its own")
    if is_chunk(data, end):
        return
    if size == 0:
        raise AudioError(
            f"its header promises 0 bytes of samples, but {rest} bytes follow: the program that wrote it did not "
            f"finish; repair it, {REPAIR}"
        )
    raise AudioError(
        f"after the {size} bytes of samples that its header promises, {rest} bytes follow that are no tag: "
        f"perhaps more samples. If so, repair the header, {REPAIR}; otherwise cut them off"
    )


def is_iff_chunk(order: str, data: bytes, start: int) -> bool:
    """Whether a chunk of RIFF or IFF begins at `start`, whose sizes have this byte order."""
    name = data[start : start + 4]
    if len(name) < 4 or any(byte not in PRINTABLE for byte in name):
        return False
    if name in CHUNKS or start + 8 > len(data):
        return name in CHUNKS
    (size,) = struct.unpack_from(f"{order}I", data, start + 4)
    return start + 8 + size <= len(data)
