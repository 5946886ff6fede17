"""Settings of the aggregations of layers. This module needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightedSumSettings:
    """The weighted sum has no settings."""
