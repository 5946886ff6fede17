"""CAF, the Core Audio Format of Apple: chunks with 64-bit sizes.

Source: Apple, Core Audio Format Specification 1.0.
"""

import struct

from codecfake.audio.containers.content import AudioError, Content, compressed, frames, require_nothing_more, unpack

MAGIC = (b"caff",)
NAME = "CAF"
FORMATS = ("CAF",)

SIZE_BYTES = 8
EDIT_COUNT = 4  # bytes of the chunk `data` before its samples
UNKNOWN_SIZE = -1  # the chunk `data` goes on to the end of the file
EXACT = (b"lpcm", b"ulaw", b"alaw")  # not `alac`: libsndfile decodes some of it wrongly


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are in packets."""
    frame_bytes, start = 0, 8
    while start + 12 <= len(data):
        name, (size,) = data[start : start + 4], unpack(">q", data, start + 4)
        start += 12
        if name == b"desc":
            frame_bytes = _frame_bytes(data, start)
        elif name == b"data":
            return _samples(data, start, size, frame_bytes)
        if size < 0:
            break
        start += size
    raise AudioError("truncated: it has no chunk of samples")


def _frame_bytes(data: bytes, start: int) -> int:
    coding = data[start + 8 : start + 12]
    if coding not in EXACT:
        raise compressed(repr(coding.decode("latin-1")), NAME)
    return unpack(">I", data, start + 16)[0]


def _samples(data: bytes, start: int, size: int, frame_bytes: int) -> Content:
    if size == UNKNOWN_SIZE:  # libsndfile refuses it
        size = len(data) - start
        data = data[: start - SIZE_BYTES] + struct.pack(">q", size) + data[start:]
    number = frames(data, start + EDIT_COUNT, max(0, size - EDIT_COUNT), frame_bytes)
    require_nothing_more(data, start + EDIT_COUNT, start + size, _is_chunk)
    return Content(number, data)


def _is_chunk(data: bytes, start: int) -> bool:
    name = data[start : start + 4]
    return name.isascii() and name.isalnum() and start + 12 + max(0, unpack(">q", data, start + 4)[0]) <= len(data)
