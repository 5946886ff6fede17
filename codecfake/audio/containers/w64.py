"""W64 of Sony (Sound Forge): like WAV, with a GUID as the name of each chunk and 64-bit sizes."""

from codecfake.audio.containers import riff
from codecfake.audio.containers.content import AudioError, Content, frames, require_nothing_more, unpack

MAGIC = (bytes.fromhex("726966662e91cf11a5d628db04c10000"),)
NAME = "W64"
FORMATS = ("W64",)

GUID_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # after the four letters of a chunk's name
HEADER = 24  # bytes of a chunk's GUID and size, which the size counts
ALIGNMENT = 8


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are compressed in blocks."""
    start, frame_bytes = 40, 0  # after the GUID and size of the file and the GUID of its kind
    while start + HEADER <= len(data):
        name, (size,) = data[start : start + 16], unpack("<Q", data, start + 16)
        if name == b"fmt " + GUID_END:
            frame_bytes = riff.frame_size(data, start + HEADER, size - HEADER)
        if name == b"data" + GUID_END:
            return Content(_frames(data, start + HEADER, size - HEADER, frame_bytes), data)
        if size < HEADER:
            break
        start += -(-size // ALIGNMENT) * ALIGNMENT
    raise AudioError("truncated: it has no chunk of samples")


def _frames(data: bytes, start: int, size: int, frame_bytes: int) -> int:
    number = frames(data, start, max(0, size), frame_bytes)
    require_nothing_more(data, start, start + size, _is_chunk)
    return number


def _is_chunk(data: bytes, start: int) -> bool:
    return data[start + 4 : start + 16] == GUID_END
