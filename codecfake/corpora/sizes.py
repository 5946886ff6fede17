"""Published sizes of corpora, for planning before they are available."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from codecfake.audio.containers import SUFFIXES
from codecfake.base import settings
from codecfake.base.hidden_files import is_hidden
from codecfake.base.settings import Range
from codecfake.base.utterances import BONAFIDE, KEYS, SPOOF

if TYPE_CHECKING:
    import pandas as pd

UNSPLIT = "-"
CELL = ["corpus", "key", "split"]
COUNTS = ["utterances", "seconds", "samples", "file_bytes"]  # samples: at the recordings' own sample rate
BYTES_PER_SAMPLE = 2  # uncompressed
FLAC_SHARE = 0.5  # of that, at the sample rates of published corpora
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

    def counts_as(self, corpus: str) -> "pd.DataFrame":
        """A row for each part, with the columns `CELL` and `COUNTS`."""
        import pandas as pd  # not above: processes that decode audio import this module, too

        return pd.DataFrame([self._row(corpus, part) for part in self.speech], columns=[*CELL, *COUNTS])

    def _row(self, corpus: str, part: Part) -> tuple[object, ...]:
        samples = part.hours * 3600 * self.sample_rate
        num_bytes = samples * BYTES_PER_SAMPLE * (1.0 if self.wav else FLAC_SHARE)
        return (corpus, part.key, part.split or UNSPLIT, part.utterances, part.hours * 3600, samples, num_bytes)

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


def counts(table: "pd.DataFrame") -> "pd.DataFrame":
    """The counts of an utterance table, summed by `CELL`."""
    share = np.where(table["path"].str.lower().str.endswith(".wav"), 1.0, FLAC_SHARE)
    counts = {
        "utterances": 1,
        "seconds": table["num_samples"] / table["sample_rate"],
        "samples": table["num_samples"],
        "file_bytes": table["num_samples"] * table["channels"] * BYTES_PER_SAMPLE * share,
    }
    rows = table[CELL].fillna({"split": UNSPLIT}).assign(**counts)
    return rows.groupby(CELL, as_index=False, observed=True).sum()


def likely(layout: str, expected: dict[str, Any], options: Mapping[str, Any], root: Path | None) -> CorpusSize:
    """The published size of a corpus, or less if its root has fewer recordings.

    Without a published size, an estimate from the number of recordings; unknown without any.
    """
    files = _num_recordings(layout, root) if root is not None else 0
    try:
        size = published(layout, expected)
    except SizeError:
        key = options.get("key")
        return by_number(key or BONAFIDE, files) if files else unknown([key] if key else KEYS)
    return size.at_most(files) if files else size


def unknown(keys: Sequence[str]) -> CorpusSize:
    """The size of a corpus if only the keys that it may have are known."""
    return CorpusSize("unknown", USUAL_RATE, True, tuple(Part(key, nan, nan, speakers=0) for key in keys))


def by_number(key: str, utterances: int) -> CorpusSize:
    """The size of a corpus, estimated from its number of recordings alone."""
    part = Part(key, utterances, utterances * USUAL_SECONDS / 3600)
    return CorpusSize("number of files", USUAL_RATE, True, (part,))


def _expected(size: ListedSize) -> CorpusSize:
    total = size.bonafide + size.spoof
    counts = {BONAFIDE: size.bonafide, SPOOF: size.spoof}
    parts = tuple(Part(key, count, size.hours * count / total) for key, count in counts.items() if count)
    return CorpusSize("the experiment", size.sample_rate, True, parts)


def _num_recordings(layout: str, root: Path) -> int:
    """The number that the layout counts, or else of the audio files below the root."""
    from codecfake import corpora

    count = corpora.layout(layout).count
    if count is not None:
        return count(root)
    folders = ((Path(folder).relative_to(root), names) for folder, _, names in os.walk(root))
    paths = (folder / name for folder, names in folders for name in names if name.lower().endswith(SUFFIXES))
    return sum(not is_hidden(path) for path in paths)
