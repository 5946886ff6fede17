"""Lossy compression: encodes with MP3, Opus or Vorbis and decodes, in memory, with libsndfile."""

import io

import numpy as np
import soundfile

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation
from codecfake.features.augmentation.settings import FORMATS, AugmentationError, CompressionSettings

CONTAINERS = {"mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS"), "vorbis": ("OGG", "VORBIS")}


class Compression(Augmentation):
    """Encodes and decodes. Raises AugmentationError if libsndfile was built without one of the formats."""

    def __init__(self, settings: CompressionSettings) -> None:
        self._settings = settings
        for name in settings.formats:
            require_format(name)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        container, subtype = CONTAINERS[self._settings.formats[int(rng.integers(len(self._settings.formats)))]]
        level = rng.uniform(self._settings.min_level, self._settings.max_level)
        peak = max(1.0, np.abs(wav).max())  # encoders clip samples beyond full scale
        buffer = io.BytesIO()
        soundfile.write(buffer, wav / peak, SAMPLE_RATE, subtype, format=container, compression_level=level)
        decoded, _ = soundfile.read(io.BytesIO(buffer.getvalue()))
        if len(decoded) != len(wav):
            raise AugmentationError(
                f"{subtype} returned {len(decoded)} samples for {len(wav)}, not as many; leave this format out"
            )
        return decoded * peak


def require_format(name: str) -> None:
    """Raise AugmentationError unless libsndfile can write it."""
    container, subtype = CONTAINERS[name]
    if container not in soundfile.available_formats() or subtype not in soundfile.available_subtypes(container):
        raise AugmentationError(
            f"{name}: libsndfile {soundfile.__libsndfile_version__} cannot write it; leave it out of `formats`, or "
            f"install soundfile from its wheel, which supports {', '.join(FORMATS)}"
        )
