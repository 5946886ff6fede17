"""Lossy compression: a round trip through MP3, Opus or Vorbis in memory, by libsndfile."""

import io

import numpy as np
import soundfile

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation
from codecfake.features.augmentation.settings import FORMATS, AugmentationError, CompressionSettings

CONTAINERS = {"mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS"), "vorbis": ("OGG", "VORBIS")}


class Compression(Augmentation):
    """Encoded and decoded. Raises AugmentationError where libsndfile was built without one of the formats."""

    def __init__(self, settings: CompressionSettings) -> None:
        self._settings = settings
        for name in settings.formats:
            require_format(name)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        container, subtype = CONTAINERS[self._settings.formats[int(rng.integers(len(self._settings.formats)))]]
        level = rng.uniform(self._settings.min_level, self._settings.max_level)
        peak = max(1.0, np.abs(wav).max())  # encoders clip what is beyond full scale
        buffer = io.BytesIO()
        soundfile.write(buffer, wav / peak, SAMPLE_RATE, subtype, format=container, compression_level=level)
        decoded, _ = soundfile.read(io.BytesIO(buffer.getvalue()))
        if len(decoded) != len(wav):
            raise AugmentationError(f"{subtype} gave {len(decoded)} samples for {len(wav)}; leave this format out")
        return decoded * peak


def require_format(name: str) -> None:
    """Raise AugmentationError unless libsndfile can write it."""
    container, subtype = CONTAINERS[name]
    if container not in soundfile.available_formats() or subtype not in soundfile.available_subtypes(container):
        raise AugmentationError(
            f"{name}: {soundfile.__libsndfile_version__} is a libsndfile without it; leave it out of `formats`, or "
            f"install soundfile from its wheel, which brings all of {', '.join(FORMATS)}"
        )
