"""Generators of speech and sound from text. Nothing here imports torch; `build` imports the generator's module."""

from typing import TYPE_CHECKING

from codecfake.generators import registry
from codecfake.generators.generator import Generator, GeneratorError, Item, Prompt
from codecfake.generators.registry import Entry, entry, names
from codecfake.generators.settings import GeneratorSettings

if TYPE_CHECKING:
    import torch

__all__ = ["Entry", "Generator", "GeneratorError", "GeneratorSettings", "Item", "Prompt", "build", "entry", "names"]


def build(settings: GeneratorSettings, device: "torch.device") -> Generator:
    """The generator with its weights, on a device.

    Raises GeneratorError or WeightsError if a package is missing or weights do not fit, and the errors of `entry`.
    """
    return registry.builder(settings.generator)(settings, device)
