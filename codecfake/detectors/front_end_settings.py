"""Settings of the front-ends. This module needs no torch."""

from dataclasses import dataclass, field
from typing import Any

from codecfake.base.settings import fault
from codecfake.base.suggestions import unknown

RANDOM = "random"
LAYERS = ONE, BLOCKS, ALL = ("one", "blocks", "all")


@dataclass(frozen=True)
class MelSettings:
    log: bool = False  # take the logarithm; the published front-end does not


@dataclass(frozen=True)
class SincSettings:
    """The published filter bank has no settings."""


@dataclass(frozen=True)
class SslSettings:
    weights: str  # a transformers folder, a hub id such as facebook/wav2vec2-xls-r-300m, or "random"
    layer: int = 5  # the features are the output of this block; blocks above it are not built
    normalize: bool = True  # each clip to zero mean and unit variance, as XLS-R and WavLM-large were trained
    config: dict[str, Any] = field(default_factory=dict)  # of a random model; the keys are those of transformers
    seed: int = 0  # of a random model
    layers: str = ONE  # one: the output of block `layer`; blocks: of blocks 1 to `layer`; all: block 1's input, too

    def __post_init__(self) -> None:
        if self.layer < 1:
            raise ValueError(f"front-end layer is {self.layer}; layers count from 1")
        if self.layers not in LAYERS:
            raise fault(unknown("choice of layers", self.layers, LAYERS), "layers")
        if self.layers == BLOCKS and self.layer == 1:
            raise fault(f"{BLOCKS} of layer 1 is a single output; set layers to {ONE}, or a higher layer", "layers")
        if self.config and self.weights != RANDOM:
            raise ValueError(f"front-end config is for weights: random; {self.weights} has its own")

    @property
    def num_layers(self) -> int:
        """How many layers the features have."""
        return {ONE: 1, BLOCKS: self.layer, ALL: self.layer + 1}[self.layers]
