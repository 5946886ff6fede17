"""Small generators with random weights, and items for them."""

import numpy as np
import torch

from codecfake import generators
from codecfake.generators import Generator, GeneratorSettings, Item, Prompt

CPU = torch.device("cpu")
TEXTS = ("Oh", "Yes.", "No, I")


def settings(name: str, **changes: object) -> GeneratorSettings:
    """The small network of a generator, with random weights."""
    entry = generators.entry(name)
    return GeneratorSettings(
        **{"generator": name, "model": entry.small, "sampling": entry.small_sampling, "batch_size": 1, **changes}
    )


def build(name: str, **changes: object) -> Generator:
    return generators.build(settings(name, **changes), CPU)


def items(generator: Generator, texts: tuple[str, ...] = TEXTS) -> list[Item]:
    """One item per text, with prompts of different lengths where the generator needs them."""
    return [
        Item(f"T{number}", text, "en", number, _prompt(generator, number) if generator.needs_prompt else None)
        for number, text in enumerate(texts)
    ]


def _prompt(generator: Generator, number: int) -> Prompt:
    num_samples = generator.sample_rate // 10 + 100 * number
    noise = np.random.default_rng(number).standard_normal(num_samples).astype(np.float32)
    return Prompt(0.1 * noise, "Oh")
