"""Loudness by ITU-R BS.1770-4, for one channel, as `descript-audiotools` measures it on a CPU.

That package uses pyloudnorm, which nothing else here needs. Filtering is in double precision and always on the CPU, so
the loudness of a recording does not depend on the device.
"""

import math

import numpy as np
import torch
from torch import Tensor

TARGET = -16.0  # LUFS, the level at which DAC's `compress` encodes
FLOOR = -70.0  # LUFS: the absolute gate, and the loudness of silence by definition
RELATIVE_GATE = -10.0  # LU, relative to the mean of the blocks above the absolute gate
OFFSET = -0.691  # compensates for the gain of K-weighting at 997 Hz
BLOCK, STEP = 0.4, 0.1  # seconds
SHORTEST = 0.5  # seconds; shorter recordings are padded with silence
# The two stages of K-weighting, as center frequency (Hz) and Q: a 4 dB shelf that models the head, and a high-pass
SHELF, SHELF_DB, HIGH_PASS = (1500.0, math.sqrt(0.5)), 4.0, (38.0, 0.5)


def level(wav: Tensor, sample_rate: int) -> Tensor:
    """The amplitude of each row of wav `[B, T]` relative to -16 LUFS, `[B, 1]`; silence counts as -70 LUFS."""
    return 10 ** ((loudness(wav, sample_rate)[:, None] - TARGET) / 20)


def loudness(wav: Tensor, sample_rate: int) -> Tensor:
    """Gated loudness `[B]` of wav `[B, T]` in LUFS, at least -70."""
    filtered_wav = _k_weighted(wav.detach().cpu().double().numpy(), sample_rate)
    values = [_gated_loudness(row) for row in _block_powers(filtered_wav, sample_rate)]
    return torch.tensor(values, dtype=wav.dtype, device=wav.device)


def _k_weighted(wav: np.ndarray, sample_rate: int) -> np.ndarray:
    from scipy.signal import sosfilt

    num_zeros = max(0, int(SHORTEST * sample_rate) - wav.shape[1])
    return sosfilt(_k_weighting(sample_rate), np.pad(wav, ((0, 0), (0, num_zeros))), axis=1)


def _k_weighting(sample_rate: int) -> np.ndarray:
    """Both stages as second-order sections `[2, 6]`, from the bilinear transform of their analog prototypes."""
    amplitude = 10 ** (SHELF_DB / 40)
    cosine, alpha = _warped(*SHELF, sample_rate)
    slope = 2 * math.sqrt(amplitude) * alpha
    more, less = amplitude + 1, amplitude - 1
    shelf = [
        amplitude * (more + less * cosine + slope),
        -2 * amplitude * (less + more * cosine),
        amplitude * (more + less * cosine - slope),
        more - less * cosine + slope,
        2 * (less - more * cosine),
        more - less * cosine - slope,
    ]
    cosine, alpha = _warped(*HIGH_PASS, sample_rate)
    high_pass = [(1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2, 1 + alpha, -2 * cosine, 1 - alpha]
    # rounded as in audiotools: exact coefficients would change the loudness by up to 6e-5 dB
    return np.array([np.array(section) / section[3] for section in (shelf, high_pass)]).astype(np.float32).astype(float)


def _warped(frequency: float, quality: float, sample_rate: int) -> tuple[float, float]:
    omega = 2 * math.pi * frequency / sample_rate
    return math.cos(omega), math.sin(omega) / (2 * quality)


def _block_powers(wav: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean square `[B, blocks]` of blocks of 0.4 s every 0.1 s, the last one padded with zeros."""
    size, step = int(BLOCK * sample_rate), int(BLOCK * sample_rate * 0.25)
    number = -(-(wav.shape[1] - size) // step) + 1
    num_zeros = (number - 1) * step + size - wav.shape[1]
    padded = np.pad(wav, ((0, 0), (0, num_zeros)))
    return np.stack(
        [np.square(padded[:, start : start + size]).sum(1) for start in range(0, number * step, step)], 1
    ) / (BLOCK * sample_rate)


def _gated_loudness(powers: np.ndarray) -> float:
    """Loudness of block powers `[blocks]`, without quiet blocks."""
    above_gate = powers[_lufs(powers) > FLOOR]
    if not len(above_gate):
        return FLOOR
    loud = above_gate[_lufs(above_gate) > _lufs(above_gate.mean()) + RELATIVE_GATE]
    return max(FLOOR, float(_lufs(loud.mean())))


def _lufs(power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return OFFSET + 10 * np.log10(power)
