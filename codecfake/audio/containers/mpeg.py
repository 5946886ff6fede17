"""MP3 and MP2: a sequence of frames, which must be counted, because nothing says reliably how many there are.

Only a tag in the first frame (Xing, Info) holds the number. Without it, libsndfile guesses the length from the bit rate
of the first frame, and reads no further. Source: ISO/IEC 11172-3 and 13818-3.
"""

from dataclasses import dataclass

from codecfake.audio.containers.content import TAGS, AudioError, Content, unpack

MAGIC: tuple[bytes, ...] = ()  # `recognizes` instead
NAME = "MP3"
FORMATS = ("MP3",)

KBPS = {  # of each layer, by index; for MPEG-1, and for MPEG-2 and 2.5
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLE_RATES = (44100, 48000, 32000)  # of MPEG-1
DIVISOR_OF_VERSION = {3: 1, 2: 2, 0: 4}  # of the sample rates; MPEG-1, 2, 2.5
MONO = 3
TAG_NAMES = (b"Xing", b"Info")  # after the side information
VBRI, VBRI_PLACE = b"VBRI", 36  # the tag of the encoder of Fraunhofer
HAS_COUNT = 1
ID3_SIZE = 1 << 20  # bytes of each tag of `_endless`


@dataclass(frozen=True)
class Header:
    """The header of a frame; frames with equal `kind` can follow one another."""

    num_bytes: int
    num_samples: int
    kind: tuple[int, int, int]  # version, layer, sample rate
    is_mono: bool


def recognizes(data: bytes) -> bool:
    return header(data, 0) is not None


def measure(data: bytes) -> Content:
    """Raises AudioError if the last frame is not whole, or if the frames are not those of one recording."""
    first = header(data, 0)
    if first is None:
        raise AudioError("no frame of MPEG audio at its beginning; encode it again")
    promised = _promised(data, 0, first)
    start, number = first.num_bytes, 0
    while (frame := header(data, start)) is not None and frame.kind == first.kind:
        if _promised(data, start, frame) is not None:
            raise AudioError(f"another recording begins at byte {start}; divide the file, so that each has its own")
        start += frame.num_bytes
        number += 1
    _require_end(data, start, frame)
    if promised is None:
        return Content((number + 1) * first.num_samples, _endless(data[:start], number + 1, first))
    if promised != number:
        raise AudioError(
            f"its first frame promises {promised} more frames, but {number} follow: it was cut, or it holds several "
            f"recordings; restore or divide it"
        )
    if data.startswith(VBRI, VBRI_PLACE):  # libsndfile does not know this tag
        return Content(number * first.num_samples, _endless(data[first.num_bytes : start], number, first))
    return Content(None, data)


def header(data: bytes, start: int) -> Header | None:
    """The header at `start`; None without one, or if it leaves the size of its frame open."""
    if start + 4 > len(data) or data[start] != 0xFF or data[start + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[start + 1] >> 3 & 3, 4 - (data[start + 1] >> 1 & 3)
    bit_rate, sample_rate, padding = data[start + 2] >> 4, data[start + 2] >> 2 & 3, data[start + 2] >> 1 & 1
    if version == 1 or layer == 4 or bit_rate in (0, 15) or sample_rate == 3:
        return None
    hertz = SAMPLE_RATES[sample_rate] // DIVISOR_OF_VERSION[version]
    is_first = version == 3
    num_samples = 384 if layer == 1 else 576 if layer == 3 and not is_first else 1152
    slot = 4 if layer == 1 else 1  # bytes
    bits_per_second = 1000 * KBPS[1 if is_first else 2, layer][bit_rate - 1]
    num_bytes = slot * (num_samples // 8 // slot * bits_per_second // hertz + padding)
    return Header(num_bytes, num_samples, (version, layer, hertz), data[start + 3] >> 6 == MONO)


def _promised(data: bytes, start: int, frame: Header) -> int | None:
    """The number of frames after the one at `start`, if it is a tag that holds it; it has no samples then."""
    if data.startswith(VBRI, start + VBRI_PLACE):
        return unpack(">I", data, start + VBRI_PLACE + 14)[0]
    is_mpeg1 = frame.kind[0] == 3
    side = (17 if frame.is_mono else 32) if is_mpeg1 else (9 if frame.is_mono else 17)
    for place in (start + 4 + side, start + 6 + side):  # with a checksum after the header
        if data.startswith(TAG_NAMES, place):
            flags, count = unpack(">II", data, place + 4)
            return _required(count if flags & HAS_COUNT else None)
    return None


def _required(count: int | None) -> int:
    if count is None:
        raise AudioError("its first frame does not say how many follow; encode it again, e.g. `ffmpeg -i IN OUT.flac`")
    return count


def _require_end(data: bytes, end: int, following: Header | None) -> None:
    """Raise AudioError unless the frames end with the file, or before a tag or zeros."""
    if end > len(data):
        raise AudioError(f"truncated: its last frame lacks {end - len(data)} bytes; cut it off, or restore the file")
    if following is not None:
        raise AudioError(f"its sample rate or its MPEG layer changes at byte {end}; divide the file there")
    if end < len(data) and not data.startswith(TAGS, end) and data.count(0, end) < len(data) - end:
        raise AudioError(
            f"at byte {end} of {len(data)}, no frame of MPEG audio follows: it is damaged there, or more was added; "
            f"encode it again, e.g. `ffmpeg -i IN OUT.flac`, and check its length"
        )


def _endless(data: bytes, number: int, first: Header) -> bytes:
    """With ID3 tags behind its frames, which decoders skip, libsndfile's guess of the length exceeds it.

    So all `number` frames are read.
    """
    tag = b"ID3\4\0\0" + bytes(ID3_SIZE - 10 >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(ID3_SIZE - 10)
    missing_bytes = number * first.num_bytes - len(data)
    return data + tag * (max(0, missing_bytes) // ID3_SIZE + 1)
