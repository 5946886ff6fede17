"""Reading, resampling and writing of every waveform, bona fide or spoof.

The codec must be the only difference between a spoof and its recording, so both are processed by the same reader, the
same resampler (soxr HQ), the same rounding to 16 bit and the same FLAC encoder.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from codecfake.audio import decoding
from codecfake.audio.decoding import AudioError, Recording

FULL_SCALE = 32768  # 16-bit samples are floats times this
QUALITY = "HQ"  # of the resampler


@dataclass(frozen=True)
class Audio:
    """A mono recording: `wav` is float32 `[T]`, full scale ±1; codecs need no higher precision."""

    wav: np.ndarray
    sample_rate: int


def read(path: Path, sha256: str | None = None) -> Audio:
    """Decode a whole file, regardless of its extension, and average its channels.

    Raises AudioError if the file cannot be decoded, or if `sha256` is given and differs from the file's.
    """
    try:
        data = decoding.read_bytes(path)
    except AudioError as error:
        raise AudioError(f"{path}: {error}; restore the file or ingest again") from error
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise AudioError(f"{path}: the file changed since its corpus was ingested; restore it or ingest again")
    return decode(data, str(path))


def read_channels(path: Path) -> Recording:
    """Decode a whole file with all of its channels. Raises AudioError, naming the file, as `decoding`."""
    try:
        return decoding.decode(decoding.read_bytes(path))
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error


def decode(data: bytes, name: str) -> Audio:
    """Decode the bytes of an audio file and average its channels. Raises AudioError naming `name`."""
    try:
        recording = decoding.decode(data)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from error
    return Audio(recording.mono, recording.sample_rate)


def read_segment(path: Path, start: int, num_samples: int) -> np.ndarray:
    """Float32 `[num_samples]` from sample `start`, with averaged channels and zeros after the end of the file."""
    try:
        samples, _ = soundfile.read(path, num_samples, start, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: cannot be decoded ({error.error_string})") from error
    return fit(samples.mean(axis=1), num_samples)


def resampled_length(num_samples: int, from_rate: int, to_rate: int) -> int:
    """The number of samples at the new rate: the exact duration, rounded half up, and at least one."""
    return max(1, (2 * num_samples * to_rate + from_rate) // (2 * from_rate))


def resample(wav: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample `[T]` with soxr HQ to exactly `resampled_length` samples."""
    if from_rate == to_rate:
        return wav
    return fit(
        soxr.resample(wav.astype(np.float64), from_rate, to_rate, quality=QUALITY),
        resampled_length(len(wav), from_rate, to_rate),
    )


def fit(wav: np.ndarray, num_samples: int) -> np.ndarray:
    """Cut `[T]` at the end, or pad it with zeros, to `num_samples`."""
    if len(wav) >= num_samples:
        return wav[:num_samples]
    return np.pad(wav, (0, num_samples - len(wav)))


def to_int16(wav: np.ndarray) -> tuple[np.ndarray, int]:
    """`[T]` rounded to 16 bit without dither, and the number of clipped samples.

    Raises AudioError if a sample is not finite.
    """
    if not np.isfinite(wav).all():
        raise AudioError(f"{np.count_nonzero(~np.isfinite(wav))} of {len(wav)} samples are not finite")
    scaled = np.rint(wav * FULL_SCALE)
    clipped = int(np.count_nonzero((scaled < -FULL_SCALE) | (scaled > FULL_SCALE - 1)))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16), clipped


def encode_flac(samples: np.ndarray, sample_rate: int) -> bytes:
    """The bytes of a mono 16-bit FLAC file of int16 samples `[T]`."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def decode_int16(data: bytes, start: int = 0, num_samples: int = -1) -> tuple[np.ndarray, int]:
    """Samples (int16 `[T]`) and rate of a 16-bit FLAC file written by `encode_flac`.

    With `start` and `num_samples`, only this part is decoded; it is shorter at the end of the file.
    """
    return soundfile.read(io.BytesIO(data), num_samples, start, dtype="int16")
