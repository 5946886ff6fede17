"""Settings of fine-tuning: which part of a front-end trains with the back-end, and how. It needs no torch."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codecfake.base import plugins
from codecfake.base.settings import Fault, FaultsError
from codecfake.base.suggestions import unknown
from codecfake.detectors.settings import FRONT_ENDS, SslSettings
from codecfake.features.settings import EXACT, PRECISIONS

FROZEN, WHOLE = "none", "all"
TOP = re.compile(r"top ([1-9]\d*)")
SHARPNESS = EVERYWHERE, BACK_END = ("all", "back_end")
OF_BLOCKS = ("gradient_checkpointing", "time_mask", "feature_mask")  # settings that need a network of known blocks


@dataclass(frozen=True)
class FineTuningSettings:
    train: str = FROZEN  # of the front-end: none, all, or `top N` of its blocks
    learning_rate: float | None = None  # of the front-end, before its schedule; null: that of the back-end
    warmup: int = 0  # updates over which the learning rate of the front-end rises linearly
    layer_decay: float = 1.0  # learning rate of a block, relative to that of the block above it
    gradient_checkpointing: bool = False  # compute the activations of a block twice, to save memory
    time_mask: float = 0.0  # share of frames that are masked in training, before the first block
    feature_mask: float = 0.0  # share of feature dimensions that are masked there
    precision: str = EXACT  # of the front-end in training; or bfloat16, on CUDA
    sharpness: str = EVERYWHERE  # SAM and ASAM ascend over all trained weights; or over those of the back-end

    def __post_init__(self) -> None:
        if faults := [*self._name_faults(), *self._number_faults()] or list(self._idle_faults()):
            raise FaultsError("", faults)

    @property
    def is_on(self) -> bool:
        """Whether any weight of the front-end is trained."""
        return self.train != FROZEN

    @property
    def num_blocks(self) -> int | None:
        """The number of blocks to train, from the top; None for the whole front-end."""
        match = TOP.fullmatch(self.train)
        return int(match[1]) if match else None

    def faults(self, front_end: dict[str, Any]) -> Iterator[Fault]:
        """What this front-end, a mapping with its name, cannot do of these settings."""
        name = front_end["name"]
        if not self.is_on or plugins.is_outside(name) and not self._needs_blocks():
            return
        if FRONT_ENDS.part(name).settings is not SslSettings:
            what = "this needs one of known blocks" if plugins.is_outside(name) else "it has no weights to train"
            yield Fault(("train",), f"{self.train!r} of the front-end {name}: {what}; {_remedy(name)}")
        elif (self.num_blocks or 0) > (layer := front_end.get("layer", SslSettings.layer)):
            yield Fault(("train",), f"{self.train!r} of {layer} blocks; set it to `top {layer}` at most, or to `all`")

    def _needs_blocks(self) -> bool:
        defaults = FineTuningSettings
        changed = [name for name in OF_BLOCKS if getattr(self, name) != getattr(defaults, name)]
        return bool(changed or self.num_blocks or self.layer_decay != defaults.layer_decay)

    def _name_faults(self) -> Iterator[Fault]:
        if self.train not in (FROZEN, WHOLE) and not TOP.fullmatch(self.train):
            yield Fault(("train",), unknown("choice of weights", self.train, (FROZEN, WHOLE, "top N")))
        if self.precision not in PRECISIONS:
            yield Fault(("precision",), unknown("precision", self.precision, PRECISIONS))
        if self.sharpness not in SHARPNESS:
            yield Fault(("sharpness",), unknown("sharpness", self.sharpness, SHARPNESS))

    def _number_faults(self) -> Iterator[Fault]:
        if self.learning_rate is not None and not 0 < self.learning_rate < float("inf"):
            yield Fault(("learning_rate",), f"{self.learning_rate} is out of range; it must be positive and finite")
        if self.warmup < 0:
            yield Fault(("warmup",), f"{self.warmup} is out of range; it must be at least 0")
        if not 0 < self.layer_decay <= 1:
            yield Fault(("layer_decay",), f"{self.layer_decay} is out of range; it must be above 0 and at most 1")
        for name in ("time_mask", "feature_mask"):
            if not 0 <= getattr(self, name) < 1:
                yield Fault((name,), f"{getattr(self, name)} is out of range; it must be at least 0 and below 1")

    def _idle_faults(self) -> Iterator[Fault]:
        """Settings that differ from their defaults although the front-end is frozen."""
        if self.is_on:
            return
        for name, value in vars(self).items():
            if value != getattr(FineTuningSettings, name):
                yield Fault((name,), f"{value} has no effect on a frozen front-end; set `train` to all or top N")


def _remedy(name: str) -> str:
    if plugins.is_outside(name):
        return f"use `train: {WHOLE}` without {', '.join(OF_BLOCKS)} and layer_decay"
    ssl = [each for each in FRONT_ENDS if FRONT_ENDS.part(each).settings is SslSettings]
    return f"use {' or '.join(ssl)}, or set `train: {FROZEN}`"
