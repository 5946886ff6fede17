"""A chain of augmentations, as training settings give it: `[{name, probability, settings}, …]`, in that order."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from codecfake.features.augmentation.settings import links


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
