"""Settings of samplers. This module needs no torch, so that an experiment can be checked before any job."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from codecfake.base.settings import Filled, Range


@dataclass(frozen=True)
class NoSettings:
    """The sampler has no settings."""


@dataclass(frozen=True)
class WeightedSettings:
    # train list, by the name of its domain -> its weight in an epoch, whatever its size
    weights: Annotated[dict[str, Annotated[float, Range(above=0)]], Filled()]


@dataclass(frozen=True)
class BalancedSettings:
    equal_classes: bool = True  # half of an epoch is bona fide; if false, only the groups are equal


@dataclass(frozen=True)
class KindSettings(BalancedSettings):
    by: Literal["quantizer", "auxiliary", "decoder"] = "decoder"
    kinds: dict[str, str] = field(default_factory=dict)  # source -> its kind; an experiment adds those of its codecs
