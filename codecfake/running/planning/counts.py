"""Sizes of corpora: from their utterance tables where these exist, otherwise from their published sizes.

A published size is divided by the rule of a split, so its counts need not be whole numbers.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from codecfake.base import utterances
from codecfake.base.utterances import BONAFIDE, KEYS, SPLITS
from codecfake.corpora import sizes
from codecfake.corpora.sizes import CorpusSize, Part, SizeError
from codecfake.experiment.schema import Corpus
from codecfake.protocols import lists
from codecfake.protocols.lists import Split
from codecfake.running.planning.demo_sizes import takes

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus")
UNSPLIT = "-"
CELL = ["corpus", "key", "split"]
COUNTS = ["utterances", "seconds", "samples", "file_bytes"]  # samples: at the recordings' own sample rate
BYTES_PER_SAMPLE = 2  # uncompressed
FLAC_SHARE = 0.5  # of that, at the sample rates of published corpora


class CorpusCounts:
    """Counts of utterances, by (corpus, key, split), of the corpora under `results/corpora/`; NaN where unknown."""

    def __init__(
        self, corpora: dict[str, Corpus], results: Path, demo: dict[str, Any], roots: Mapping[str, Path]
    ) -> None:
        self._corpora, self._demo, self._roots = corpora, demo, roots
        self._paths = {name: results / "corpora" / name / "utterances.parquet" for name in corpora}
        self._counts: dict[str, pd.DataFrame] = {}

    def is_ingested(self, corpus: str) -> bool:
        """Whether its counts come from a table, not from a published size."""
        return self._paths[corpus].is_file()

    def is_exact(self, corpus: str) -> bool:
        """Whether each of its utterances is known: it is ingested, or the demo will synthesize it."""
        return self.is_ingested(corpus) or self._corpora[corpus].demo

    def unknown(self) -> list[str]:
        """The corpora of unknown size."""
        return [name for name in self._corpora if not self.is_exact(name) and not self.size(name).is_known]

    @cache  # noqa: B019 - the cache lives as long as the plan
    def size(self, corpus: str) -> CorpusSize:
        """The published size of a corpus, or less if its root has fewer files.

        Without a published size, an estimate from the number of files; unknown without files.
        """
        about, root = self._corpora[corpus], self._roots.get(corpus)
        files = _num_recordings(root) if root is not None and root.is_dir() else 0
        key = about.options.get("key")
        try:
            size = sizes.published(about.layout, about.size)
        except SizeError:
            return sizes.counted(key or BONAFIDE, files) if files else sizes.unknown([key] if key else KEYS)
        return size.at_most(files) if files else size

    def of(self, corpus: str) -> pd.DataFrame:
        """Counts of one corpus in its published splits; columns `CELL` and `COUNTS`."""
        if corpus not in self._counts:
            self._counts[corpus] = self._count(corpus)
        return self._counts[corpus]

    def by_split(self, corpora: Sequence[str], rule: Split) -> pd.DataFrame:
        """Counts of pooled corpora, split by a rule: exact if all are ingested, otherwise by the rule's shares."""
        name = f"{corpora} {rule}"
        if name not in self._counts:
            self._counts[name] = self._count_split(corpora, rule)
        return self._counts[name]

    def _count(self, corpus: str) -> pd.DataFrame:
        if self.is_exact(corpus):
            return _counted(self._table(corpus).fillna({"split": UNSPLIT}))
        size = self.size(corpus)
        return pd.DataFrame([_row(corpus, size, part) for part in size.speech], columns=[*CELL, *COUNTS])

    def _count_split(self, corpora: Sequence[str], rule: Split) -> pd.DataFrame:
        if all(self.is_exact(corpus) for corpus in corpora):
            tables = {corpus: self._table(corpus) for corpus in corpora}
            return _counted(lists.split_utterances(list(corpora), rule, tables))
        whole = pd.concat([self.of(corpus) for corpus in corpora], ignore_index=True)
        if rule.by == "corpus":
            return whole
        return pd.concat([_scaled(whole, split, share) for split, share in self._shares(corpora, rule).items()])

    def _table(self, corpus: str) -> pd.DataFrame:
        if self.is_ingested(corpus):
            return utterances.read(self._paths[corpus])
        return takes(self._corpora[corpus].layout, self._demo).assign(corpus=corpus)

    def _shares(self, corpora: Sequence[str], rule: Split) -> dict[str, float]:
        dev, held_out = rule.dev, rule.eval
        speakers = sum(part.speakers for corpus in corpora for part in self.size(corpus).speech)
        if rule.by == "listed" and speakers > len(rule.dev_speakers) + len(rule.eval_speakers):
            dev, held_out = len(rule.dev_speakers) / speakers, len(rule.eval_speakers) / speakers
        return dict(zip(SPLITS, (1 - dev - held_out, dev, held_out), strict=True))


def _num_recordings(root: Path) -> int:
    return sum(name.lower().endswith(AUDIO_SUFFIXES) for _, _, names in os.walk(root) for name in names)


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    uncompressed = table["path"].str.lower().str.endswith(".wav")
    share = np.where(uncompressed, 1.0, FLAC_SHARE)
    counts = {
        "utterances": 1,
        "seconds": table["num_samples"] / table["sample_rate"],
        "samples": table["num_samples"],
        "file_bytes": table["num_samples"] * table["channels"] * BYTES_PER_SAMPLE * share,
    }
    return table[CELL].assign(**counts).groupby(CELL, as_index=False, observed=True).sum()


def _row(corpus: str, size: CorpusSize, part: Part) -> tuple[object, ...]:
    seconds = part.hours * 3600
    samples = seconds * size.sample_rate
    file_bytes = samples * BYTES_PER_SAMPLE * (1.0 if size.wav else FLAC_SHARE)
    return (corpus, part.key, part.split or UNSPLIT, part.utterances, seconds, samples, file_bytes)


def _scaled(counts: pd.DataFrame, split: str, share: float) -> pd.DataFrame:
    return counts.assign(split=split, **{name: counts[name] * share for name in COUNTS})
