"""RawBoost (Tak et al. 2022, "RawBoost: a raw data boosting and augmentation method", ICASSP): the three kinds of noise
of section 2, with the defaults of the authors' code. A chain of them is the paper's combination "in series".

The authors number the algorithms: 1 convolutive, 2 impulsive, 3 stationary, 4 all three, 5 convolutive and impulsive.
"""

import numpy as np

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import (
    Augmentation,
    at_snr,
    within_full_scale,
)
from codecfake.features.augmentation.fir import band_stop, convolve, peak_gain
from codecfake.features.augmentation.settings import (
    EDGE_HZ,
    ConvolutiveSettings,
    ImpulsiveSettings,
    NotchSettings,
    StationarySettings,
)


class Convolutive(Augmentation):
    """Linear and non-linear convolutive noise: the sum of the signal's powers, each filtered by random notches."""

    def __init__(self, settings: ConvolutiveSettings) -> None:
        self._settings = settings

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        output = np.zeros_like(wav)
        for power in range(1, self._settings.order + 1):
            taps = notches(self._settings, rng)
            output += self._gain(power, rng) * convolve(wav**power, taps, len(taps) // 2)
        return within_full_scale(output - output.mean())

    def _gain(self, power: int, rng: np.random.Generator) -> float:
        s = self._settings
        biases = (s.min_bias_db, s.max_bias_db) if power > 1 else (0.0, 0.0)
        ends = s.min_gain_db - biases[0], s.max_gain_db - biases[1]
        return 10 ** (rng.uniform(min(ends), max(ends)) / 20)


class Impulsive(Augmentation):
    """Impulsive noise that depends on the signal: some samples change by a random multiple of their value."""

    def __init__(self, settings: ImpulsiveSettings) -> None:
        self._settings = settings

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        number = int(len(wav) * rng.uniform(0, self._settings.max_percent) / 100)
        hit = rng.choice(len(wav), number, replace=False)
        output = wav.copy()
        output[hit] += self._settings.gain * wav[hit] * rng.uniform(-1, 1, number) * rng.uniform(-1, 1, number)
        return within_full_scale(output)


class Stationary(Augmentation):
    """Stationary noise that does not depend on the signal: white noise filtered by random notches."""

    def __init__(self, settings: StationarySettings) -> None:
        self._settings = settings

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        taps = notches(self._settings, rng)
        noise = convolve(rng.standard_normal(len(wav)), taps, len(taps) // 2)
        return at_snr(wav, noise, rng.uniform(self._settings.min_snr_db, self._settings.max_snr_db))


def notches(settings: NotchSettings, rng: np.random.Generator) -> np.ndarray:
    """Taps of a random filter whose greatest gain is 1."""
    taps = np.ones(1)
    for _ in range(settings.num_notches):
        center = rng.uniform(settings.min_center_hz, settings.max_center_hz)
        width = rng.uniform(settings.min_width_hz, settings.max_width_hz)
        num_taps = int(rng.integers(settings.min_taps, settings.max_taps + 1)) | 1
        low, high = max(center - width / 2, EDGE_HZ), min(center + width / 2, SAMPLE_RATE / 2 - EDGE_HZ)
        taps = np.convolve(taps, band_stop(low, high, np.hamming(num_taps)))
    return taps / peak_gain(taps)
