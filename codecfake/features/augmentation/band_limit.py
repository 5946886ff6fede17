"""Band limits, as of microphones and telephone lines that attenuate low or high frequencies."""

import numpy as np

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation
from codecfake.features.augmentation.fir import convolve, high_pass, low_pass
from codecfake.features.augmentation.settings import BandLimitSettings

NUM_TAPS = 1023
WINDOW = np.blackman(
    NUM_TAPS
)  # attenuates by more than 70 dB; the transition is 5.5 / 1023 of the sampling rate: 86 Hz


class BandLimit(Augmentation):
    """A low-pass and a high-pass without delay."""

    def __init__(self, settings: BandLimitSettings) -> None:
        self._settings = settings

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        low_hz = rng.uniform(self._settings.min_low_hz, self._settings.max_low_hz)
        high_hz = rng.uniform(self._settings.min_high_hz, self._settings.max_high_hz)
        if high_hz < SAMPLE_RATE / 2:
            wav = convolve(wav, low_pass(high_hz, WINDOW), NUM_TAPS // 2)
        if low_hz > 0:
            wav = convolve(wav, high_pass(low_hz, WINDOW), NUM_TAPS // 2)
        return wav
