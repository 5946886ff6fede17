"""Settings of partial fakes; no audio package is imported here."""

from dataclasses import dataclass
from typing import Annotated

from codecfake.base.settings import Filled, Pattern, Range, fault


@dataclass(frozen=True)
class PartialSettings:
    """How a partial fake is made from a recording and from its coded form."""

    of: Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9_-]*", "the name of a source")]  # whose audio is in the spans
    share: Annotated[float, Range(above=0, below=1)] = 0.3  # of each utterance that is coded
    spans: Annotated[int, Range(least=1)] = 2  # in each utterance; fewer if it is too short for the minimum
    minimum_ms: Annotated[float, Range(least=0)] = 200  # the length of each of several spans, and of what is between
    cross_fade_ms: Annotated[float, Range(least=0)] = 10  # within a span, at both of its ends; 0: a hard cut

    def __post_init__(self) -> None:
        if 2 * self.cross_fade_ms > self.minimum_ms:
            text = f"{self.cross_fade_ms:g}, but both cross-fades must fit into a span of {self.minimum_ms:g} ms"
            raise fault(f"{text}; shorten them, or raise minimum_ms", "cross_fade_ms")


@dataclass(frozen=True)
class SplicingSettings:
    """The partial fakes of one corpus."""

    corpus: Annotated[str, Filled()]
    partial: PartialSettings
    seed: int = 1
