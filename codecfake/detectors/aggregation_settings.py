"""Settings of the aggregations of layers. This module needs no torch."""

from dataclasses import dataclass

from codecfake.base.settings import fault


@dataclass(frozen=True)
class WeightedSumSettings:
    """The weighted sum has no settings."""


@dataclass(frozen=True)
class SeaSettings:
    reduction: int = 3  # how many times fewer numbers than layers are in the bottleneck of the gates

    def __post_init__(self) -> None:
        _require_reduction(self.reduction)


@dataclass(frozen=True)
class AttMSettings:
    reduction: int = 2  # how many times fewer numbers than layers are in the bottleneck of the gates

    def __post_init__(self) -> None:
        _require_reduction(self.reduction)


def _require_reduction(reduction: int) -> None:
    if reduction < 1:
        raise fault(f"reduction is {reduction}; it must be at least 1", "reduction")
