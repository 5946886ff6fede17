"""RawBoost as its authors run it: algorithms 1 to 8 of Tak et al. 2022, and 9 of Liu et al. 2025 (Nes2Net).

| algorithm | noise |
|---|---|
| 1, 2, 3 | convolutive, impulsive, stationary |
| 4, 5, 6, 7 | in series: all three; 1 and 2; 1 and 3; 2 and 3 |
| 8, 9 | in parallel, each of the original: the sum of 1 and 2; of all three |

The parameters and the order of draws are those of the published code: the same state of numpy's legacy generator
gives the same samples. The augmentations in `rawboost.py` follow the paper's text instead and have settings.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import RandomState

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation, within_full_scale
from codecfake.features.augmentation.fir import band_stop, convolve
from codecfake.features.augmentation.settings import EDGE_HZ, RawBoostSettings

NUM_NOTCHES, NUM_FREQUENCIES = 5, 512
CENTER_HZ, WIDTH_HZ, TAPS = (20, 8_000), (100, 1_000), (10, 100)
NUM_POWERS, GAIN_DB, HIGHER_GAIN_DB = 5, (0, 0), (-5, -20)
MOST_PERCENT, IMPULSE_GAIN = 10, 2
SNR_DB = (10, 40)
Noise = Callable[[np.ndarray, RandomState], np.ndarray]


class RawBoost(Augmentation):
    """One of the nine algorithms with the published parameters."""

    def __init__(self, settings: RawBoostSettings) -> None:
        self._noise = ALGORITHMS[settings.algorithm]

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self._noise(wav, RandomState(int(rng.integers(2**32))))


def convolutive(wav: np.ndarray, rng: RandomState) -> np.ndarray:
    """Powers of the signal, each through its own random notches; those above the first have less gain."""
    output = np.zeros(len(wav))
    for power in range(1, NUM_POWERS + 1):
        taps = notches(rng, GAIN_DB if power == 1 else HIGHER_GAIN_DB)
        output += filtered(wav**power, taps)
    return within_full_scale(output - output.mean())


def impulsive(wav: np.ndarray, rng: RandomState) -> np.ndarray:
    """A random part of the samples, each changed by a random share of itself."""
    number = int(len(wav) * (rng.uniform(0, MOST_PERCENT) / 100))
    places = rng.permutation(len(wav))[:number]
    change = (2 * rng.random_sample(number) - 1) * (2 * rng.random_sample(number) - 1)
    output = wav.copy()
    output[places] = wav[places] + IMPULSE_GAIN * wav[places] * change
    return within_full_scale(output)


def stationary(wav: np.ndarray, rng: RandomState) -> np.ndarray:
    """White noise through random notches, at a random ratio; the sum may exceed full scale."""
    white = rng.normal(0, 1, len(wav))
    noise = filtered(white, notches(rng, GAIN_DB))
    snr_db = rng.uniform(*SNR_DB)
    return wav + noise / np.linalg.norm(noise) * np.linalg.norm(wav) / 10 ** (snr_db / 20)


def notches(rng: RandomState, gain_db: tuple[float, float]) -> np.ndarray:
    """Taps of random notches in series, whose greatest gain is drawn from `gain_db`."""
    taps = np.ones(1)
    for _ in range(NUM_NOTCHES):
        center, width, num_taps = rng.uniform(*CENTER_HZ), rng.uniform(*WIDTH_HZ), int(rng.uniform(*TAPS)) | 1
        low, high = max(center - width / 2, EDGE_HZ), min(center + width / 2, SAMPLE_RATE / 2 - EDGE_HZ)
        taps = np.convolve(band_stop(low, high, np.hamming(num_taps)), taps)
    # half the sampling rate is not among the frequencies of the published code
    peak = np.abs(np.fft.rfft(taps, 2 * NUM_FREQUENCIES)[:NUM_FREQUENCIES]).max()
    return taps / peak * 10 ** (rng.uniform(*gain_db) / 20)


def filtered(wav: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Filter `[T]` and keep its length; as in the published code, the output is one sample early."""
    return convolve(wav.astype(np.float64), taps, (len(taps) + 1) // 2)


def _in_series(*noises: Noise) -> Noise:
    def combined(wav: np.ndarray, rng: RandomState) -> np.ndarray:
        for noise in noises:
            wav = noise(wav, rng)
        return wav

    return combined


def _in_parallel(*noises: Noise) -> Noise:
    def combined(wav: np.ndarray, rng: RandomState) -> np.ndarray:
        return within_full_scale(sum((noise(wav, rng) for noise in noises), np.zeros(len(wav))))

    return combined


ALGORITHMS: dict[int, Noise] = {
    1: convolutive,
    2: impulsive,
    3: stationary,
    4: _in_series(convolutive, impulsive, stationary),
    5: _in_series(convolutive, impulsive),
    6: _in_series(convolutive, stationary),
    7: _in_series(impulsive, stationary),
    8: _in_parallel(convolutive, impulsive),
    9: _in_parallel(convolutive, impulsive, stationary),
}
