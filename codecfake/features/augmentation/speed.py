"""Change of speed, and pitch with it, by resampling."""

from dataclasses import dataclass

import numpy as np

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation, require_range


@dataclass(frozen=True)
class SpeedSettings:
    min_factor: float = 0.9  # 1.1 is faster and shorter
    max_factor: float = 1.1

    def __post_init__(self) -> None:
        require_range("factor", self.min_factor, self.max_factor, 0.5, 2)


class Speed(Augmentation):
    """`[T]` becomes `[T / factor]`; it comes before the clip is cut or padded, so put it first in a chain."""

    def __init__(self, settings: SpeedSettings) -> None:
        self._settings = settings
        self.stretch = max(1.0, round(SAMPLE_RATE * settings.max_factor) / SAMPLE_RATE)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factor = rng.uniform(self._settings.min_factor, self._settings.max_factor)
        return waveforms.resample(wav, round(SAMPLE_RATE * factor), SAMPLE_RATE)
