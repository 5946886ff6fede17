"""Audio files that soundfile does not write: parts of its files put together in other ways."""

import io
import struct

import numpy as np
import soundfile

from codecfake.audio.containers import mpeg

RATE = 16_000
EXACT = [  # forms in which every sample has its own bytes, or is compressed without loss
    *(("WAV", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("WAVEX", coding) for coding in ("PCM_16", "PCM_24", "FLOAT", "ULAW")),
    *(("RF64", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ALAW")),
    *(("W64", coding) for coding in ("PCM_U8", "PCM_16", "PCM_24", "DOUBLE", "ULAW")),
    *(("FLAC", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24")),
    *(("AIFF", coding) for coding in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(("AU", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
    *(("NIST", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "ULAW", "ALAW")),
    *(("CAF", coding) for coding in ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW")),
]
LOSSY = [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
COMPRESSED = {  # coding -> its name in messages
    ("WAV", "GSM610"): "GSM 6.10", ("WAV", "IMA_ADPCM"): "IMA ADPCM", ("WAV", "MS_ADPCM"): "Microsoft ADPCM",
    ("WAV", "G721_32"): "G.721 ADPCM", ("WAV", "NMS_ADPCM_16"): "NMS VBXADPCM", ("W64", "GSM610"): "GSM 6.10",
    ("AIFF", "IMA_ADPCM"): "ima4", ("AIFF", "GSM610"): "GSM ", ("AIFF", "DWVW_16"): "DWVW",
    ("CAF", "ALAC_16"): "alac", ("AU", "G721_32"): "G.721 ADPCM", ("AU", "G723_24"): "G.723 ADPCM",
}  # fmt: skip
FOREIGN = ["AVR", "HTK", "MAT4", "MAT5", "MPC2K", "PAF", "PVF", "SDS", "IRCAM", "VOC", "WVE"]


def encoded(
    samples: np.ndarray, form: str = "WAV", coding: str = "PCM_16", rate: int = RATE, **options: object
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=coding, **options)
    return buffer.getvalue()


def id3(size: int) -> bytes:
    """An ID3v2 tag of zeros, as players write before a file."""
    return b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a WAV file, padded to an even size."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def with_data_size(wav: bytes, size: int) -> bytes:
    """A WAV file whose header promises another number of bytes of samples."""
    place = wav.index(b"data") + 4
    return wav[:place] + struct.pack("<I", size) + wav[place + 4 :]


def mp3(samples: np.ndarray, rate: int = 44_100, mode: str = "VARIABLE") -> list[bytes]:
    """The frames of an MP3 file; the first is a tag with the number of the others."""
    data = encoded(samples, "MP3", "MPEG_LAYER_III", rate, bitrate_mode=mode, compression_level=0.5)
    frames, start = [], 0
    while start < len(data):
        header = mpeg.header(data, start)
        assert header is not None
        frames.append(data[start : start + header.num_bytes])
        start += header.num_bytes
    return frames


def pages(ogg: bytes) -> list[bytes]:
    """The pages of an Ogg file."""
    parts, start = [], 0
    while start < len(ogg):
        segments = ogg[start + 26]
        end = start + 27 + segments + sum(ogg[start + 27 : start + 27 + segments])
        parts.append(ogg[start:end])
        start = end
    return parts
