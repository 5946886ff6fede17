"""The settings of codec training, and its error."""

from dataclasses import dataclass, field
from typing import Any

from codec_wrappers.training.recipe import RECIPES, Recipe, recipe
from codecfake.base import precision_names
from codecfake.base.precision_names import AUTO
from codecfake.base.settings import below, fault
from codecfake.base.suggestions import unknown

STORED = ("float32", "float16")  # names of torch's, which is not imported here


class CodecTrainingError(RuntimeError):
    """A codec cannot be trained with these settings on these recordings."""


@dataclass(frozen=True)
class CodecTrainingSettings:
    codec: str  # name of the codec configuration
    wrapper: str
    corpora: list[str]
    recipe: str | None = None  # a name in recipes.yaml; None: the recipe of the wrapper
    changes: dict[str, Any] = field(default_factory=dict)  # to the recipe: steps, batch_size, segment_duration, …
    model: dict[str, Any] = field(default_factory=dict)
    quantizers: int | None = None  # number of codebooks in validation; None: all
    gain: str | None = None  # input level of the codec, see Gain; None: the codec's default
    precision: str = AUTO  # of networks in training, without quantizer and losses: bfloat16 on CUDA, else float32
    stored: str = "float32"  # the floats of the file of weights; "float16" halves it and loses a thousandth at most
    validation_utterances: int = 8
    validations: int = 3
    checkpoint_every: int = 1000  # steps; every validation writes one too
    tensorboard: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        if self.precision not in precision_names.NAMES:
            raise fault(unknown("precision", self.precision, precision_names.NAMES), "precision")
        if self.stored not in STORED:
            raise fault(unknown("type", self.stored, STORED), "stored")
        if not self.corpora:
            raise fault("the list is empty; name at least one corpus to train on", "corpora")
        for name in ("validation_utterances", "validations", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise fault(f"{getattr(self, name)} is out of range; it must be at least 1", name)

    def resolved(self) -> Recipe:
        """The recipe with the changes. Raises SettingsError if the recipe or a change is unknown."""
        name = self.recipe or self.wrapper
        if name not in RECIPES:
            none = f"{name} has no published one; choose from {', '.join(RECIPES)}"
            raise fault(none if self.recipe is None else unknown("recipe", name, RECIPES), "recipe")
        with below("changes"):
            return recipe(name, self.changes)
