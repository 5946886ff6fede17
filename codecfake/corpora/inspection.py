"""Inspects a file: its content, if it is a complete recording, or the reason why it is unusable."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecfake.audio import waveforms
from codecfake.audio.waveforms import AudioError, Recording

# Streaming programs do not know the size of a WAV's samples and write a number from SoX's 0x7FFFF000 on.
STREAMED_SIZE = 0x7FFFF000
FLAC_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
FLAC_MD5 = slice(26, 42)  # after `fLaC`, the header of the STREAMINFO block and its 18 bytes of numbers


@dataclass(frozen=True)
class Inspection:
    """The content of a complete and usable file; `sha256` is the digest of its bytes."""

    sample_rate: int
    channels: int
    num_samples: int
    sha256: str


def inspect(path: Path, min_duration: float) -> Inspection:
    """Read and decode a complete file. Raises AudioError with a reason (without the path) if it is unusable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AudioError(f"cannot be read ({error.strerror})") from error
    recording = _decode(data)
    _check_whole(data, recording)
    _check_samples(recording, min_duration)
    num_samples, channels = recording.samples.shape
    return Inspection(recording.sample_rate, channels, num_samples, hashlib.sha256(data).hexdigest())


def _decode(data: bytes) -> Recording:
    if not data:
        raise AudioError("the file is empty")
    name = "file"
    try:
        return waveforms.decode_channels(data, name)
    except AudioError as error:
        raise AudioError(str(error).removeprefix(f"{name}: ")) from error


def _check_whole(data: bytes, recording: Recording) -> None:
    """Decoders accept truncated WAV files and never verify a complete FLAC file, so both are checked here."""
    if data.startswith(b"RIFF"):
        _check_wav(data)
    if data.startswith(b"fLaC") and recording.subtype in FLAC_BITS:
        _check_flac(data, recording)


def _check_wav(data: bytes) -> None:
    for name, start, size in _riff_chunks(data):
        if name == b"data":
            present = len(data) - start
            if present < size < STREAMED_SIZE:
                raise AudioError(
                    f"truncated: its header promises {size} bytes of samples, of which {present} are there"
                )
            return


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk of a RIFF file; chunks are padded to an even size."""
    start = 12
    while start + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, start)
        yield name, start + 8, size
        start += 8 + size + size % 2


def _check_flac(data: bytes, recording: Recording) -> None:
    """A FLAC file carries the MD5 of its original samples; it is all zeros if the encoder did not write it."""
    md5 = data[FLAC_MD5]
    if any(md5) and md5 != _flac_md5(recording):
        raise AudioError("its samples are not those that were encoded (the MD5 in its FLAC header is another)")


def _flac_md5(recording: Recording) -> bytes:
    """MD5 of the samples as in FLAC: interleaved little-endian integers of whole bytes."""
    bits = FLAC_BITS[recording.subtype]
    integers = recording.samples * 2 ** (bits - 1)  # exact integers: float32 holds 24 bits
    if bits == 24:
        data = integers.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    else:
        data = integers.astype(f"<i{bits // 8}").tobytes()
    return hashlib.md5(data, usedforsecurity=False).digest()


def _check_samples(recording: Recording, min_duration: float) -> None:
    """Checks the mean of the channels, which the workflow uses."""
    wav, channels = recording.samples.mean(axis=1), recording.samples.shape[1]
    if len(wav) == 0:
        raise AudioError("it holds no samples")
    duration = len(wav) / recording.sample_rate
    if duration < min_duration:
        raise AudioError(f"too short: {duration:.4f} s, at least {min_duration:g} s are needed")
    if not np.isfinite(wav).all():
        raise AudioError(f"{np.count_nonzero(~np.isfinite(wav))} of {len(wav)} samples are not finite")
    if wav.min() == wav.max():
        averaged = f" of the mean of its {channels} channels" if channels > 1 else ""
        raise AudioError(f"digital silence: every sample{averaged} is {wav[0]:g}")
    _check_range(wav, recording.subtype)


def _check_range(wav: np.ndarray, subtype: str) -> None:
    """Lossy decoders can overshoot ±1; a file with stored floats beyond ±1 was written that way."""
    peak = float(np.abs(wav).max())
    if subtype in ("FLOAT", "DOUBLE") and peak > 1:
        raise AudioError(f"float samples exceed ±1 (peak {peak:.4g}), which 16 bit would clip; rescale the file")
