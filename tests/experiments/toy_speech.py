"""A generator for tests: tones whose pitch depends on the prompt and the seed, as long as the text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from codecfake.generators import GeneratorSettings, Item

RATE = 24_000
ENTRY = {"needs_prompt": True, "license": "Apache-2.0"}


class Toy:
    def __init__(self, needs_prompt: bool, unreadable: str) -> None:
        self.sample_rate, self.needs_prompt, self._unreadable = RATE, needs_prompt, unreadable

    def check(self, item: Item) -> str | None:
        if self._unreadable and self._unreadable in item.text:
            return f"unknown symbol {self._unreadable!r}"
        return "no prompt" if self.needs_prompt and item.prompt is None else None

    def generate(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        return [self._tone(item) for item in items]

    def _tone(self, item: Item) -> NDArray[np.float32]:
        random = np.random.default_rng(item.seed)
        prompt = 0.0 if item.prompt is None else float(np.abs(item.prompt.waveform).mean())
        time = np.arange(RATE // 2 + 300 * len(item.text)) / RATE
        tone = np.sin(2 * np.pi * (200 + 10 * random.integers(50) + 500 * prompt) * time)
        return (0.2 * tone + 0.01 * random.standard_normal(len(time))).astype(np.float32)


def build(settings: GeneratorSettings, device: object) -> Toy:
    return Toy(True, settings.model.get("unreadable", ""))
