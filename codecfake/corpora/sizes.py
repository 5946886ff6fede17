"""Published sizes of corpora, for planning before they are available."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, isnan, nan
from typing import Annotated, Any

from codecfake.base import settings
from codecfake.base.settings import Range
from codecfake.base.utterances import BONAFIDE, SPOOF

USUAL_SECONDS, USUAL_RATE = 4.0, 24_000  # of an utterance of unknown duration


class SizeError(ValueError):
    """The size of a corpus is unknown."""


@dataclass(frozen=True)
class Part:
    """Utterances of one key and one published split."""

    key: str
    utterances: float  # NaN, like hours, if the size is unknown
    hours: float
    speakers: int = 1
    split: str | None = None


@dataclass(frozen=True)
class CorpusSize:
    """A corpus as distributed; `wav` is uncompressed, anything else counts as FLAC."""

    source: str
    sample_rate: int
    wav: bool
    speech: tuple[Part, ...]

    @property
    def is_known(self) -> bool:
        return not isnan(self.hours)

    @property
    def utterances(self) -> float:
        return sum(part.utterances for part in self.speech)

    @property
    def hours(self) -> float:
        return sum(part.hours for part in self.speech)

    def at_most(self, utterances: int) -> "CorpusSize":
        """The corpus with at most that many utterances, and with its hours reduced in proportion."""
        share = min(1.0, utterances / self.utterances)
        parts = (replace(p, utterances=ceil(p.utterances * share), hours=p.hours * share) for p in self.speech)
        return replace(self, speech=tuple(parts))


@dataclass(frozen=True)
class ListedSize:
    """The expected size of a corpus without a published one; hours of both keys together."""

    hours: Annotated[float, Range(above=0)]
    bonafide: Annotated[int, Range(least=0)] = 0  # utterances
    spoof: Annotated[int, Range(least=0)] = 0
    sample_rate: Annotated[int, Range(least=8000)] = 24000  # Hz, as distributed

    def __post_init__(self) -> None:
        if not (self.hours > 0 and self.bonafide + self.spoof > 0):
            raise settings.SettingsError("size: give hours, and the number of bonafide or spoof utterances")


def published(layout: str, expected: dict[str, Any]) -> CorpusSize:
    """The size of a corpus from an experiment's `size`, or else from its layout.

    Raises SizeError if neither is known.
    """
    from codecfake import corpora  # imported here, because the layouts import this module

    if expected:
        return _expected(settings.build(ListedSize, expected))
    size = corpora.layout(layout).size
    if size is None:
        raise SizeError(
            f"unknown size of a corpus of layout {layout}; add one, e.g. `size: {{spoof: 1000, hours: 1.2}}` "
            f"(hours of both keys together)"
        )
    return size


def unknown(keys: Sequence[str]) -> CorpusSize:
    """The size of a corpus if only the keys that it may have are known."""
    return CorpusSize("unknown", USUAL_RATE, True, tuple(Part(key, nan, nan, speakers=0) for key in keys))


def counted(key: str, utterances: int) -> CorpusSize:
    """The size of a corpus, estimated from its number of recordings alone."""
    part = Part(key, utterances, utterances * USUAL_SECONDS / 3600)
    return CorpusSize("number of files", USUAL_RATE, True, (part,))


def _expected(size: ListedSize) -> CorpusSize:
    total = size.bonafide + size.spoof
    counts = {BONAFIDE: size.bonafide, SPOOF: size.spoof}
    parts = tuple(Part(key, count, size.hours * count / total) for key, count in counts.items() if count)
    return CorpusSize("the experiment", size.sample_rate, True, parts)
