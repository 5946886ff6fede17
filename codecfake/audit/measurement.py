"""Measuring trivial features, from the bytes of FLAC files and their samples."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd, log2

import numpy as np

from codecfake.audio import waveforms
from codecfake.audit.features import NAMES

QUIETEST_DB = -100.0  # dB, of silence, whose level has no logarithm
FRAME_SECONDS = 0.01
SILENCE_DB = -40.0  # dB below the loudest frame; quieter frames are silent
BANDWIDTH_DB = -60.0
ROLLOFF = 0.99
WINDOW = 1024  # samples of a spectrum
REPEAT_SAMPLES = 32  # searched for earlier in the file: too many to repeat by chance
GRID = 2**10 * 3**2 * 5**3  # the prime factors of codec hops
VORBIS_COMMENT, LAST_BLOCK = 4, 0x80
SHARED_LEVELS = {"shared_rms": ("rms", 0.05), "shared_peak": ("peak", 0.02)}  # level, tolerance (dB)
SMALLEST_SHARE = 0.1  # a smaller share of files at one level is due to chance


def measure_all(flacs: Iterable[bytes]) -> np.ndarray:
    """All features of the files of one arm, fakes or recordings, float64 `[N, len(FEATURES)]`, finite."""
    values = np.stack([measure(flac) for flac in flacs])
    for name, (level, width) in SHARED_LEVELS.items():
        values[:, NAMES.index(name)] = share_at_same_level(values[:, NAMES.index(level)], width)
    return values


def share_at_same_level(levels: np.ndarray, width: float) -> np.ndarray:
    """For each of `[N]`, the share of the others within `width`; 0 below a tenth. Silence does not count."""
    ordered = np.sort(levels)
    near = np.searchsorted(ordered, levels + width, "right") - np.searchsorted(ordered, levels - width, "left") - 1
    share = near / max(1, len(levels) - 1)
    return np.where((share >= SMALLEST_SHARE) & (near > 1) & (levels > QUIETEST_DB), share, 0.0)


def measure(flac: bytes) -> np.ndarray:
    """The features of one FLAC file, float64 `[len(FEATURES)]`, finite; `SHARED_LEVELS`, which need other files, are 0.

    Raises ValueError if it is not a FLAC file.
    """
    header = read_header(flac)
    samples, sample_rate = waveforms.decode_int16(flac)
    values = {
        "sample_rate": sample_rate,
        "bits": header.bits,
        "block_size": header.block_size,
        "header_bytes": header.num_bytes,
        "encoder": zlib.crc32(header.encoder),
        "bytes_per_sample": (len(flac) - header.num_bytes) / max(1, len(samples)),
        **length_features(samples, sample_rate),
        **level_features(samples),
        **bit_features(samples),
        **silence_features(samples, sample_rate),
        **spectrum_features(samples, sample_rate),
    }
    return np.array([values.get(name, 0.0) for name in NAMES], dtype=np.float64)


@dataclass(frozen=True)
class Header:
    """The metadata of a FLAC file."""

    block_size: int  # the largest
    bits: int
    encoder: bytes
    num_bytes: int


def read_header(flac: bytes) -> Header:
    """Parse the metadata blocks of a FLAC file (RFC 9639, section 8). Raises ValueError if it is not a FLAC file."""
    if flac[:4] != b"fLaC":
        raise ValueError(f"not a FLAC file: it begins with {flac[:4]!r}; write the shard again")
    place, last, encoder = 4, False, b""
    block_size, packed = struct.unpack_from(">2xH6xQ", flac, 8)  # STREAMINFO comes first
    while not last:
        kind, size = flac[place], int.from_bytes(flac[place + 1 : place + 4], "big")
        last = bool(kind & LAST_BLOCK)
        if kind & ~LAST_BLOCK == VORBIS_COMMENT:
            (length,) = struct.unpack_from("<I", flac, place + 4)
            encoder = flac[place + 8 : place + 8 + length]
        place += 4 + size
    return Header(block_size, (packed >> 36 & 31) + 1, encoder, place)


def length_features(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    return {
        "duration": len(samples) / sample_rate,
        "length_grid": log2(gcd(len(samples), GRID)) if len(samples) else 0.0,
        "head_run": equal_run(samples),
        "tail_run": equal_run(samples[::-1]),
        "tail_repeat": tail_repeat(samples),
    }


def equal_run(samples: np.ndarray) -> int:
    """The number of samples at the start that equal the first."""
    other = samples != samples[:1]
    return int(other.argmax()) if other.any() else len(samples)


def tail_repeat(samples: np.ndarray) -> int:
    """The number of samples at the end that repeat earlier ones exactly; 0 below 32, or if constant."""
    tail = samples[-REPEAT_SAMPLES:]
    if len(samples) <= REPEAT_SAMPLES or tail.min() == tail.max():
        return 0
    candidates = np.flatnonzero(samples[:-REPEAT_SAMPLES] == tail[0])
    for offset in (1, 7, 15, 31):
        candidates = candidates[candidates + offset < len(samples)]
        candidates = candidates[samples[candidates + offset] == tail[offset]]
    longest = 0
    for start in candidates:
        lag = len(samples) - REPEAT_SAMPLES - int(start)
        differs = samples[lag:][::-1] != samples[:-lag][::-1]
        longest = max(longest, int(differs.argmax()) if differs.any() else len(differs))
    return longest if longest >= REPEAT_SAMPLES else 0


def level_features(samples: np.ndarray) -> dict[str, float]:
    wav = samples / waveforms.FULL_SCALE
    full = np.count_nonzero((samples == waveforms.FULL_SCALE - 1) | (samples == -waveforms.FULL_SCALE))
    return {
        "rms": _decibel(float(np.sqrt(np.mean(wav**2)))) if len(wav) else QUIETEST_DB,
        "peak": _decibel(float(np.abs(wav).max(initial=0))),
        "clipped": float(np.log10(1 + full)),
        "dc": float(np.trunc(samples.mean())) if len(samples) else 0.0,
    }


def bit_features(samples: np.ndarray) -> dict[str, float]:
    """Traces in the lowest bits, as left by 8-bit audio in a 16-bit file or by a gain after rounding."""
    sizes = np.abs(samples.astype(np.int32))
    used_bits = int(np.bitwise_or.reduce(sizes)) if len(sizes) else 0
    small = int(np.median(sizes)) if len(sizes) else 0
    occurring = np.bincount(sizes[sizes <= small], minlength=small + 1) > 0
    return {
        "odd_share": float(np.mean(sizes % 2)) if len(sizes) else 0.0,
        "effective_bits": 16.0 - ((used_bits & -used_bits).bit_length() - 1) if used_bits else 0.0,
        "used_levels": float(occurring.mean()),
    }


def silence_features(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Seconds before the first and after the last frame of 10 ms that is not silent."""
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    whole = samples[: len(samples) // frame * frame].astype(np.float64).reshape(-1, frame)
    power = whole.var(axis=1)
    if not power.any():
        return {"lead_silence": len(samples) / sample_rate, "trail_silence": len(samples) / sample_rate}
    loud = np.flatnonzero(power > power.max() * 10 ** (SILENCE_DB / 10))
    return {
        "lead_silence": loud[0] * frame / sample_rate,
        "trail_silence": (len(power) - 1 - loud[-1]) * frame / sample_rate,
    }


def spectrum_features(samples: np.ndarray, sample_rate: int) -> dict[str, float]:
    """Where the long-term spectrum ends, by level and by energy."""
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % WINDOW))
    frames = padded.reshape(-1, WINDOW) - samples.mean() if len(samples) else np.zeros((1, WINDOW))
    power = (np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2).mean(axis=0)
    if not power.any():
        return {"bandwidth": 0.0, "rolloff": 0.0}
    hertz = np.fft.rfftfreq(WINDOW, 1 / sample_rate)
    above = np.flatnonzero(power >= power.max() * 10 ** (BANDWIDTH_DB / 10))
    energy = np.cumsum(power)
    return {"bandwidth": hertz[above[-1]], "rolloff": hertz[np.searchsorted(energy, ROLLOFF * energy[-1])]}


def _decibel(amplitude: float) -> float:
    return max(QUIETEST_DB, 20 * log2(amplitude) / log2(10)) if amplitude > 0 else QUIETEST_DB
