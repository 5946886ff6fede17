"""A chain of augmentations, as in training settings: `[{name, probability, settings}, …]`, applied in this order."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from codecfake.features.augmentation.settings import links


class Chain:
    """wav `[T]` -> `[T]` (of another length if the speed changes). Without links, it changes nothing and is false."""

    def __init__(self, settings: Sequence[Mapping[str, Any]] = ()) -> None:
        self._steps = [(link.probability, link.build()) for link in links(settings)]
        self.stretch = math.prod(step.stretch for _, step in self._steps)

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Augment a clip. Each link has its own generator, so that the draws of one link do not affect the others."""
        for (probability, step), own in zip(self._steps, rng.spawn(len(self._steps)), strict=True):
            if own.random() < probability:
                wav = step(wav, own)
        return wav

    def recordings(self) -> list[dict[str, str | int]]:
        """The user's recordings that are mixed in."""
        return [record for _, step in self._steps if (record := step.recordings()) is not None]
