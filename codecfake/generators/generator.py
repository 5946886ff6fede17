"""The interface of speech and sound generators: what the workflow needs, and no more. It imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Prompt:
    """A recording of the voice to imitate, and what it says."""

    waveform: NDArray[np.float32]  # [T], at the generator's sample rate
    text: str


@dataclass(frozen=True, eq=False)
class Item:
    """One waveform to generate."""

    trial: str
    text: str
    language: str  # "en" or "zh"
    seed: int  # of its own random numbers
    prompt: Prompt | None = None


class GeneratorError(ValueError):
    """A generator is unknown, its entry or its weights are wrong, or a package that it needs is missing."""


class Generator(Protocol):
    """Text, and a prompt where it is needed, to waveforms."""

    @property
    def sample_rate(self) -> int:
        """Hz, of prompts and of what it returns."""

    @property
    def needs_prompt(self) -> bool: ...

    def check(self, item: Item) -> str | None:
        """Why the item cannot be generated (empty text, unknown symbol, no prompt), or None. It samples nothing."""

    def generate(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """One waveform `[T]` per item, in the order of the items.

        An item's waveform depends on the item alone: not on the other items, their number or their order.
        It has no samples if the generator ended before the first frame.
        """
