"""A narrower band: low-pass filters, and detours through a lower sample rate."""

import numpy as np

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.band_limit import BandLimit
from codecfake.features.augmentation.settings import BandLimitSettings


def band(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` without frequencies above `value` Hz."""
    return BandLimit(BandLimitSettings(0, 0, value, value))(wav, rng)


def resample(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` at a sample rate of `value` Hz, and back at its own."""
    return waveforms.fit(waveforms.resample(waveforms.resample(wav, SAMPLE_RATE, value), value, SAMPLE_RATE), len(wav))
