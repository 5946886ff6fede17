"""Lossy compression: a round trip through MP3, Opus or Vorbis in memory, by libsndfile."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation, AugmentationError, require_range

FORMATS = {"mp3": ("MP3", "MPEG_LAYER_III"), "opus": ("OGG", "OPUS"), "vorbis": ("OGG", "VORBIS")}
HIGHEST_LEVEL = 0.95  # LAME refuses 1, and Opus makes 7 kbps of it


@dataclass(frozen=True)
class CompressionSettings:
    """`level` is libsndfile's compression level: 0 keeps most, 1 least.

    For speech at 16 kHz, levels of 0, 0.5 and 0.9 are about 54, 31 and 26 kbps of MP3, 261, 135 and 30 of Opus,
    and 73, 46 and 33 of Vorbis (measured with libsndfile 1.2.2).
    """

    formats: tuple[str, ...] = tuple(FORMATS)  # one is drawn for each clip
    min_level: float = 0.5
    max_level: float = 0.9

    def __post_init__(self) -> None:
        require_range("level", self.min_level, self.max_level, 0, HIGHEST_LEVEL)
        strange = [name for name in self.formats if name not in FORMATS]
        if strange or not self.formats:
            raise AugmentationError(f"formats are {list(self.formats)}; give some of {', '.join(FORMATS)}")


class Compression(Augmentation):
    """Encoded and decoded. Raises AugmentationError where libsndfile was built without one of the formats."""

    def __init__(self, settings: CompressionSettings) -> None:
        self._settings = settings
        for name in settings.formats:
            require_format(name)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        container, subtype = FORMATS[self._settings.formats[int(rng.integers(len(self._settings.formats)))]]
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
    container, subtype = FORMATS[name]
    if container not in soundfile.available_formats() or subtype not in soundfile.available_subtypes(container):
        raise AugmentationError(
            f"{name}: {soundfile.__libsndfile_version__} is a libsndfile without it; leave it out of `formats`, or "
            f"install soundfile from its wheel, which brings all of {', '.join(FORMATS)}"
        )
