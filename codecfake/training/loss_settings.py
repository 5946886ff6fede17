"""The losses and their settings, without torch: experiments are checked before any job.

A loss is computed for each trial, and the class weights of the training settings multiply it, whichever it is. The
published focal loss and OC-Softmax have no such weights: set `spoof_weight` and `bonafide_weight` to 1 for them.
"""

from dataclasses import dataclass

from codecfake.base.registry import Part, Registry
from codecfake.base.settings import fault

CROSS_ENTROPY = "cross_entropy"


@dataclass(frozen=True)
class CrossEntropySettings:
    """Cross-entropy has no settings of its own."""


@dataclass(frozen=True)
class FocalSettings:
    """Defaults are those of Lin et al. 2017 and of Nes2Net's models for singing."""

    gamma: float = 2.0  # how much less a trial counts that is already right; 0: cross-entropy
    alpha: float = 0.25  # weight of bona fide trials; spoofs have 1 - alpha

    def __post_init__(self) -> None:
        if not 0 <= self.gamma < float("inf"):
            raise fault(f"gamma is {self.gamma}; it must be at least 0 and finite", "gamma")
        if not 0 < self.alpha < 1:
            raise fault(f"alpha is {self.alpha}; it must be between 0 and 1", "alpha")


@dataclass(frozen=True)
class OcSoftmaxSettings:
    """Defaults are those of Zhang et al. 2021."""

    bonafide_margin: float = 0.9  # cosines of bona fide trials should be above it
    spoof_margin: float = 0.2  # cosines of spoofs should be below it
    scale: float = 20.0

    def __post_init__(self) -> None:
        if not -1 <= self.spoof_margin < self.bonafide_margin <= 1:
            margins = f"spoof_margin is {self.spoof_margin} and bonafide_margin {self.bonafide_margin}"
            raise fault(f"{margins}; they must be cosines, the first below the second")
        if not 0 < self.scale < float("inf"):
            raise fault(f"scale is {self.scale}; it must be positive and finite", "scale")


@dataclass(frozen=True)
class LossPart(Part):
    """A loss; if `of_cosines`, the logits must be -cos and cos, as those of a back-end with `head: cosine`."""

    of_cosines: bool = False


P = "codecfake.training.losses"
LOSSES: Registry[LossPart] = Registry(
    "loss",
    {
        CROSS_ENTROPY: LossPart(f"{P}:CrossEntropy", CrossEntropySettings),
        "focal": LossPart(f"{P}:Focal", FocalSettings),
        "oc_softmax": LossPart(f"{P}:OcSoftmax", OcSoftmaxSettings, of_cosines=True),
    },
)
