"""Settings of the front-ends. This module needs no torch."""

from dataclasses import dataclass, field
from typing import Any

from codecfake.base.settings import fault
from codecfake.base.suggestions import unknown
from codecfake.detectors import shipped_front_ends

RANDOM, INCLUDED = "random", "included"  # weights
VARIANCE_FLOOR = 1e-7  # of the feature extractors of transformers; fairseq has 1e-5
POST_NORM = "the blocks of this model normalize their output, and no norm follows them; set final_norm to false"
LAYERS = ONE, BLOCKS, ALL = ("one", "blocks", "all")


@dataclass(frozen=True)
class MelSettings:
    log: bool = False  # take the logarithm; the published front-end does not


@dataclass(frozen=True)
class SincSettings:
    """The published filter bank has no settings."""


@dataclass(frozen=True)
class SslSettings:
    """`weights: included` is what model folders have that contain the front-end: fine-tuned and imported ones."""

    weights: str  # a transformers folder, a hub id such as facebook/wav2vec2-xls-r-300m, shipped:NAME, or "random"
    layer: int = 5  # the features are the output of this block; blocks above it are not built
    normalize: bool = True  # each clip to zero mean and unit variance, as XLS-R and WavLM-large were trained
    config: dict[str, Any] = field(default_factory=dict)  # of random or included weights, as in transformers
    seed: int = 0  # of a random model
    layers: str = ONE  # one: the output of block `layer`; blocks: of blocks 1 to `layer`; all: block 1's input, too
    final_norm: bool = False  # apply the norm after the last block, if the model has one (large models do)
    variance_floor: float = VARIANCE_FLOOR  # is added to the variance before `normalize` divides by its root

    def __post_init__(self) -> None:
        if self.weights.startswith(shipped_front_ends.PREFIX):
            shipped_front_ends.folder(self.weights)
        if self.layer < 1:
            raise ValueError(f"front-end layer is {self.layer}; layers count from 1")
        if self.layers not in LAYERS:
            raise fault(unknown("choice of layers", self.layers, LAYERS), "layers")
        if self.layers == BLOCKS and self.layer == 1:
            raise fault(f"{BLOCKS} of layer 1 is a single output; set layers to {ONE}, or a higher layer", "layers")
        if not 0 < self.variance_floor < float("inf"):
            raise fault(f"{self.variance_floor} is out of range; it must be positive and finite", "variance_floor")
        self._check_config()

    def _check_config(self) -> None:
        has_config = self.weights in (RANDOM, INCLUDED)
        if self.config and not has_config:
            raise ValueError(f"front-end config is for weights: {RANDOM}; {self.weights} has its own")
        if self.final_norm and self.layers != ONE:
            raise fault(f"it normalizes one output, but layers is {self.layers}; set layers to {ONE}", "final_norm")
        if self.final_norm and has_config and not self.config.get("do_stable_layer_norm", False):
            raise fault(POST_NORM, "final_norm")

    @property
    def num_layers(self) -> int:
        """How many layers the features have."""
        return {ONE: 1, BLOCKS: self.layer, ALL: self.layer + 1}[self.layers]
