"""A chain of augmentations, as training settings give it: `[{name, probability, settings}, …]`, in that order."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from codecfake.base.settings import build
from codecfake.features.augmentation.augmentation import Augmentation, AugmentationError
from codecfake.features.augmentation.band_limit import BandLimit, BandLimitSettings
from codecfake.features.augmentation.compression import Compression, CompressionSettings
from codecfake.features.augmentation.noise import Noise, NoiseSettings
from codecfake.features.augmentation.rawboost import (
    Convolutive,
    ConvolutiveSettings,
    Impulsive,
    ImpulsiveSettings,
    Stationary,
    StationarySettings,
)
from codecfake.features.augmentation.reverberation import Reverberation, ReverberationSettings
from codecfake.features.augmentation.speed import Speed, SpeedSettings

AUGMENTATION_CLASSES: dict[str, tuple[type, type]] = {
    "rawboost_convolutive": (Convolutive, ConvolutiveSettings),
    "rawboost_impulsive": (Impulsive, ImpulsiveSettings),
    "rawboost_stationary": (Stationary, StationarySettings),
    "noise": (Noise, NoiseSettings),
    "reverberation": (Reverberation, ReverberationSettings),
    "compression": (Compression, CompressionSettings),
    "speed": (Speed, SpeedSettings),
    "band_limit": (BandLimit, BandLimitSettings),
}


@dataclass(frozen=True)
class Link:
    """One augmentation of a chain."""

    name: str
    probability: float = 1.0  # that it is done to a clip
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in AUGMENTATION_CLASSES:
            raise AugmentationError(f"augmentation is {self.name!r}; known: {', '.join(AUGMENTATION_CLASSES)}")
        if not 0 <= self.probability <= 1:
            raise AugmentationError(f"probability of {self.name} is {self.probability}; it must be in [0, 1]")
        self.complete()  # refuses settings that are unknown or out of range

    def complete(self) -> dict[str, Any]:
        """The link as plain values, with every default spelled out."""
        return {**dataclasses.asdict(self), "settings": dataclasses.asdict(self._built_settings())}

    def build(self) -> Augmentation:
        return AUGMENTATION_CLASSES[self.name][0](self._built_settings())

    def _built_settings(self) -> Any:
        return build(AUGMENTATION_CLASSES[self.name][1], self.settings)


def links(given: Sequence[Mapping[str, Any]]) -> list[Link]:
    """Raises AugmentationError or SettingsError if one is not as it must be."""
    return [build(Link, each) for each in given]


class Chain:
    """wav `[T]` -> `[T]` (another length where speed changes). Without links it is nothing, and false."""

    def __init__(self, given: Sequence[Mapping[str, Any]] = ()) -> None:
        self._steps = [(link.probability, link.build()) for link in links(given)]
        self.stretch = math.prod(step.stretch for _, step in self._steps)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Each link draws from a generator of its own, so that what one draws does not move the others."""
        for (probability, step), own in zip(self._steps, rng.spawn(len(self._steps)), strict=True):
            if own.random() < probability:
                wav = step(wav, own)
        return wav

    def recordings(self) -> list[dict[str, str | int]]:
        """The user's recordings that are mixed in."""
        return [found for _, step in self._steps if (found := step.recordings()) is not None]
