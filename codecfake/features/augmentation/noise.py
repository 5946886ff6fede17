"""Additive noise from recordings: MUSAN's `noise`, `music` or `speech`, or any folder."""

import numpy as np

from codecfake.features.augmentation.augmentation import Augmentation, at_snr
from codecfake.features.augmentation.folders import Folder, random_segment
from codecfake.features.augmentation.settings import NoiseSettings


class Noise(Augmentation):
    """A random part of a random recording."""

    def __init__(self, settings: NoiseSettings) -> None:
        self._settings = settings
        self._folder = Folder(settings.folder, settings.pattern)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise = random_segment(self._folder.draw(rng), len(wav), rng)
        return at_snr(wav, noise, rng.uniform(self._settings.min_snr_db, self._settings.max_snr_db))

    def recordings(self) -> dict[str, str | int]:
        return self._folder.record
