"""AIFF and AIFF-C: chunks, of which COMM counts the samples and SSND has them.

Sources: Apple, Audio Interchange File Format 1.3 (1989) and AIFF-C (1991).
"""

from functools import partial

from codecfake.audio.containers.content import (
    AudioError,
    Content,
    chunks,
    compressed,
    frames,
    is_iff_chunk,
    require_nothing_more,
    unpack,
)

MAGIC = (b"FORM",)
NAME = "AIFF"
FORMATS = ("AIFF",)

OFFSET_BYTES = 8  # of SSND before its samples: their offset and the size of blocks
BYTES_OF_CODING = {b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1, b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8}
LINEAR = (b"NONE", b"twos", b"sowt", b"raw ", b"in24", b"in32", b"23ni", b"42ni")


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are compressed in blocks."""
    if data[8:12] not in (b"AIFF", b"AIFC"):
        raise AudioError(f"an IFF file of the kind {data[8:12]!r}, not AIFF; convert it, e.g. `sox IN OUT.wav`")
    common: tuple[int, int] | None = None
    place: tuple[int, int] | None = None
    for name, start, size in chunks(data, 12, ">"):
        if name == b"COMM":
            common = _common(data, start, is_compressed=data[8:12] == b"AIFC")
        elif name == b"SSND":
            (offset, _) = unpack(">II", data, start)
            place = start + OFFSET_BYTES + offset, size - OFFSET_BYTES - offset
    if common is None or place is None:
        raise AudioError("truncated: it has no chunk of samples")
    return Content(_frames(data, *place, *common), data)


def _common(data: bytes, start: int, is_compressed: bool) -> tuple[int, int]:
    """The number of frames, and the bytes of each."""
    channels, num_frames, bits = unpack(">hIh", data, start)
    coding = data[start + 18 : start + 22] if is_compressed else LINEAR[0]
    if coding not in LINEAR and coding not in BYTES_OF_CODING:
        raise compressed(repr(coding.decode("latin-1")), NAME)
    return num_frames, channels * BYTES_OF_CODING.get(coding, -(-bits // 8))


def _frames(data: bytes, start: int, size: int, num_frames: int, frame_bytes: int) -> int:
    if frame_bytes <= 0:
        raise AudioError(f"its header says that a sample has {frame_bytes} bytes; encode it again")
    counted = num_frames * frame_bytes
    if len(data) - start < min(counted, size):  # the words for a truncated file
        frames(data, start, counted, frame_bytes)
    room = frames(data, start, size, frame_bytes)
    if not counted <= size <= counted + max(frame_bytes, 2) - 1:  # some writers count the byte that pads the chunk
        raise AudioError(
            f"its header promises {num_frames} samples, but its chunk of samples has room for {room}; encode it again, "
            f"e.g. `sox --ignore-length IN OUT.wav`"
        )
    require_nothing_more(data, start, start + size, partial(is_iff_chunk, ">"))
    return num_frames
