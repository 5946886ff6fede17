"""Changes speed and pitch together, by resampling."""

import numpy as np

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation
from codecfake.features.augmentation.settings import SpeedSettings


class Speed(Augmentation):
    """`[T]` becomes `[T / factor]`. Put it first in a chain: the chain runs before clips are cropped or padded."""

    def __init__(self, settings: SpeedSettings) -> None:
        self._settings = settings
        self.stretch = max(1.0, round(SAMPLE_RATE * settings.max_factor) / SAMPLE_RATE)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factor = rng.uniform(self._settings.min_factor, self._settings.max_factor)
        return waveforms.resample(wav, round(SAMPLE_RATE * factor), SAMPLE_RATE)
