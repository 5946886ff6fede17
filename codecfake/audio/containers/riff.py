"""WAV, and RF64, which has 64-bit sizes: chunks, of which `fmt ` says what a sample is and `data` has the samples.

Sources: Microsoft, Multimedia Programming Interface 1.0 (1991); EBU Tech 3306.
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

MAGIC = (b"RIFF", b"RIFX", b"RF64")
NAME = "WAV"
FORMATS = ("WAV", "WAVEX", "RF64")  # libsndfile's names

# Streaming programs do not know the size of a WAV's samples and write a number from SoX's 0x7FFFF000 on.
STREAMED_SIZE = 0x7FFFF000
IN_DS64 = 0xFFFFFFFF
EXTENSIBLE = 0xFFFE  # the tag is in the last GUID of `fmt `
PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7
EXACT = {PCM, FLOAT, ALAW, MULAW}  # each sample has its own bytes
CODINGS = {
    0x02: "Microsoft ADPCM", 0x10: "OKI ADPCM", 0x11: "IMA ADPCM", 0x14: "G.723 ADPCM", 0x22: "TrueSpeech",
    0x31: "GSM 6.10", 0x38: "NMS VBXADPCM", 0x40: "G.721 ADPCM", 0x45: "G.726 ADPCM", 0x50: "MPEG Layer I or II",
    0x55: "MP3", 0x64: "G.726 ADPCM", 0x83: "G.729", 0x92: "AC-3", 0xFF: "AAC", 0x161: "WMA", 0x2000: "AC-3",
    0xF1AC: "FLAC",
}  # fmt: skip


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are compressed in blocks."""
    order = ">" if data.startswith(b"RIFX") else "<"
    if len(data) < 12:
        raise AudioError("truncated: the file ends within its header")
    if data[8:12] != b"WAVE":
        raise AudioError(f"a RIFF file of the kind {data[8:12]!r}, not WAVE; extract its sound, e.g. with ffmpeg")
    frame_bytes, large = 0, -1
    for name, start, size in chunks(data, 12, order):
        if name == b"ds64":
            (large,) = unpack("<Q", data, start + 8)
        elif name == b"fmt ":
            frame_bytes = frame_size(data, start, size, order)
        elif name == b"data":
            size = large if size == IN_DS64 and large >= 0 else size
            return Content(_frames(data, start, size, frame_bytes, order), data)
    raise AudioError("truncated: it has no chunk of samples")


def frame_size(data: bytes, start: int, size: int, order: str = "<") -> int:
    """The bytes of a frame, by the chunk `fmt `. Raises AudioError for a coding whose length is not exact."""
    tag, _, _, _, frame_bytes, _ = unpack(f"{order}HHIIHH", data, start)
    if tag == EXTENSIBLE and size >= 40:
        (tag,) = unpack(f"{order}H", data, start + 24)
    if tag not in EXACT:
        raise compressed(CODINGS.get(tag, f"coding {tag:#06x}"), NAME)
    return frame_bytes


def _frames(data: bytes, start: int, size: int, frame_bytes: int, order: str) -> int:
    if not frame_bytes:
        raise AudioError("its chunk `fmt ` does not come before its samples, so it is no WAV file")
    if STREAMED_SIZE <= size < 2**32 and len(data) - start < size:
        return (len(data) - start) // frame_bytes
    number = frames(data, start, size, frame_bytes)
    require_nothing_more(data, start, start + size, partial(is_iff_chunk, order))
    return number
