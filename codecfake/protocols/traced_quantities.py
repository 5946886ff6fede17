"""A number that codec sources have, as a regression of source tracing predicts it: their quantizers or their bit rate.

The scale is log2. Codecs are offered at rates that double, what a codec loses changes with the ratio of two rates, and
an error of 1 then means a factor of 2 at every rate. In training, logarithms are standardized over the sources, so that
a mean squared error of 1 is that of predicting their mean.
"""

import math
from dataclasses import dataclass
from typing import Literal

from codecfake.base.settings import fault

Quantity = Literal["quantizers", "bitrate_kbps"]


@dataclass(frozen=True)
class TracedQuantity:
    """The quantity, and its value for each source in training; each source has the same weight in mean and spread."""

    quantity: Quantity
    values: dict[str, float]

    def __post_init__(self) -> None:
        for source, value in self.values.items():
            if not 0 < value < math.inf:
                raise fault(f"{value} of source {source} is out of range; it must be positive and finite", "values")
        if len(set(self.values.values())) < 2:
            text = ", ".join(f"{value:g}" for value in sorted(set(self.values.values()))) or "none"
            raise fault(f"all sources have one value ({text}); give sources with two or more values", "values")

    @property
    def column(self) -> str:
        """Of the predictions in score files."""
        return f"log2_{self.quantity}"

    @property
    def mean(self) -> float:
        """Of the logarithms; the prediction that a useful model must beat."""
        return sum(self._logarithms) / len(self._logarithms)

    @property
    def spread(self) -> float:
        """The standard deviation of the logarithms."""
        return math.sqrt(sum((each - self.mean) ** 2 for each in self._logarithms) / len(self._logarithms))

    def target(self, source: str) -> float:
        """What a model learns to predict for a source."""
        return (math.log2(self.values[source]) - self.mean) / self.spread

    @property
    def _logarithms(self) -> list[float]:
        return [math.log2(value) for value in self.values.values()]
