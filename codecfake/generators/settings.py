"""Settings of a generation job. They import no torch, so that an experiment is checked quickly."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from codecfake.base.settings import Filled, Range, below
from codecfake.generators import registry


@dataclass(frozen=True)
class GeneratorSettings:
    """Which generator, with which weights, and how it samples."""

    generator: Annotated[str, Filled()]  # an entry of generators.yaml, or module:name
    weights: Path | None = None  # folder that its fetch rule wrote; None: random weights, for tests
    codec_weights: Path | None = None  # of the codec wrapper that the generator's entry names; None: random
    model: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    batch_size: Annotated[int, Range(least=1)] = 4

    def __post_init__(self) -> None:
        with below("generator"):
            registry.entry(self.generator)
        with below("model"):
            registry.model_of(self.generator, self.model)
        with below("sampling"):
            registry.sampling_of(self.generator, self.sampling)
