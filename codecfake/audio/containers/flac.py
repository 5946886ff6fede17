"""FLAC: a header with the number of samples and their MD5, then frames, which have checksums of their own.

Source: RFC 9639.
"""

import hashlib
from typing import Any

import numpy as np

from codecfake.audio.containers.content import AudioError, Content, unpack

MAGIC = (b"fLaC",)
NAME = "FLAC"
FORMATS = ("FLAC",)

STREAM_INFO = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")  # how every file begins, so 64 bits
NUMBERS = 18  # where 20 bits of sample rate, 3 of channels, 5 of bits and 36 of samples stand
NUM_FRAMES = (1 << 36) - 1
MD5 = slice(26, 42)  # all zeros if the encoder did not write it
BITS = (8, 16, 24)


def measure(data: bytes) -> Content:
    """Raises AudioError if the header does not say how long it is, or if another recording follows."""
    (numbers,) = unpack(">Q", data, NUMBERS)
    num_frames = numbers & NUM_FRAMES
    if num_frames == 0:
        raise AudioError("its header does not say how long it is; encode it again")
    for magic in STREAM_INFO:
        place = data.find(magic, len(magic))
        if place >= 0:
            raise AudioError(f"another recording begins at byte {place}; divide the file, so that each has its own")
    if any(data[MD5]):
        return Content(num_frames, data)
    return Content(num_frames, _endless(data, numbers - num_frames), is_proven=False)


def _endless(data: bytes, numbers: int) -> bytes:
    """The file with an unknown length, which a decoder reads to the end: no MD5 proves that the length is right."""
    return data[:NUMBERS] + numbers.to_bytes(8, "big") + data[NUMBERS + 8 :]


class Digest:
    """The MD5 of decoded samples as in FLAC: interleaved little-endian integers of whole bytes."""

    def __init__(self, data: bytes) -> None:
        self._stored_md5 = data[MD5]
        self._bits = (unpack(">Q", data, NUMBERS)[0] >> 36 & 31) + 1
        self._md5: Any = hashlib.md5(usedforsecurity=False)

    def update(self, samples: np.ndarray) -> None:
        """Add float32 samples `[T, C]`, which hold integers of 24 bits exactly."""
        if any(self._stored_md5) and self._bits in BITS:
            self._md5.update(_integers(samples * 2 ** (self._bits - 1), self._bits))

    def check(self) -> None:
        """Raise AudioError if the samples are not those that were encoded."""
        if any(self._stored_md5) and self._bits in BITS and self._md5.digest() != self._stored_md5:
            raise AudioError("its samples are not those that were encoded (the MD5 in its FLAC header is another)")


def _integers(samples: np.ndarray, bits: int) -> bytes:
    if bits == 24:
        return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return samples.astype(f"<i{bits // 8}").tobytes()
