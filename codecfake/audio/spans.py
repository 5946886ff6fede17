"""Spans of partial fakes: where they are, how they are written, and which share of a segment they have."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from codecfake.audio.partial_settings import PartialSettings, SplicingSettings

Span = tuple[int, int]  # the first sample, and the one after the last

# Between the ends of a span, and between two spans
TO, AND = "-", " "


def spans_of(settings: SplicingSettings, utterance_id: str, num_samples: int, sample_rate: int) -> list[Span]:
    """The spans of one utterance: the same for every source with the same numbers and lengths of spans."""
    name = f"{settings.seed}/spans/{settings.corpus}/{utterance_id}"
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    return draw(settings.partial, num_samples, sample_rate, rng)


def draw(settings: PartialSettings, num_samples: int, sample_rate: int, rng: np.random.Generator) -> list[Span]:
    """Random spans, in order, that have the given share of `num_samples` together.

    Several spans are at least `minimum_ms` long, and so far apart. If an utterance is too short for this, it has fewer
    spans. A single span may be shorter than the minimum, so the share is right in every utterance.
    """
    coded = max(1, min(round(settings.share * num_samples), num_samples - 1))
    least = max(1, round(settings.minimum_ms / 1000 * sample_rate))
    number = max(1, min(settings.spans, coded // least, 1 + (num_samples - coded) // least))
    shortest = least if number > 1 else 0
    lengths = shortest + _parts(coded - number * shortest, number, rng)
    gaps = _parts(num_samples - coded - (number - 1) * least, number + 1, rng)
    gaps[1:-1] += least
    starts = np.cumsum(gaps[:-1]) + np.cumsum(lengths) - lengths
    return [(int(start), int(start + length)) for start, length in zip(starts, lengths, strict=True)]


def _parts(total: int, number: int, rng: np.random.Generator) -> np.ndarray:
    """Random whole numbers `[number]` from 0 with this total: the distances between sorted random cuts."""
    cuts = np.sort(rng.integers(0, total + 1, size=number - 1))
    return np.diff(np.concatenate([[0], cuts, [total]]))


def as_text(spans: Iterable[Span]) -> str:
    """Spans as an index has them, in samples: `1600-4800 9600-12800`."""
    return AND.join(f"{start}{TO}{end}" for start, end in spans)


def from_text(text: str) -> list[Span]:
    """Raises ValueError if `text` is not of this form."""
    pairs = (part.split(TO) for part in text.split(AND))
    return [(int(start), int(end)) for start, end in pairs]


def coded_share(start: float, end: float, spans: Sequence[tuple[float, float]]) -> float:
    """The share of a segment that is in spans, all in the same unit. A cross-fade belongs to its span."""
    overlap = sum(max(0.0, min(end, last) - max(start, first)) for first, last in spans)
    return overlap / (end - start)
