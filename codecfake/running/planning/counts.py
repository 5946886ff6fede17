"""Counts of utterances: from utterance tables where these exist, otherwise from published sizes.

A published size is divided by the rule of a split, so its counts need not be whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from codecfake.base import utterances
from codecfake.corpora import sizes
from codecfake.corpora.sizes import COUNTS, CorpusSize
from codecfake.demo import sizes as demo_sizes
from codecfake.demo.settings import DemoSettings
from codecfake.experiment.sections import Corpus, speakers_of
from codecfake.protocols import lists, utterance_lists
from codecfake.protocols.lists import Split
from codecfake.running.planning.steps import Amount, amount

HOUR = 3600.0  # seconds


@dataclass(eq=False)  # methods are cached by identity
class CorpusCounts:
    """Counts as of `sizes.counts`, NaN where unknown, of the corpora of a run directory."""

    corpora: Mapping[str, Corpus]
    root: Path  # of the run
    demo: DemoSettings
    folders: Mapping[str, Path]  # of corpora that exist
    _pools: dict[str, pd.DataFrame] = field(default_factory=dict)

    def is_exact(self, corpus: str) -> bool:
        """Whether each of its utterances is known: it is ingested, or the demo will synthesize it."""
        return self._path(corpus).is_file() or self.corpora[corpus].demo

    def unknown(self) -> list[str]:
        """The corpora of unknown size."""
        return [name for name in self.corpora if not self.is_exact(name) and not self._size(name).is_known]

    def pool(self, corpora: list[str], rule: Split | None) -> pd.DataFrame:
        """Counts of corpora, split by a rule: exact if all are ingested, otherwise by the rule's shares.

        Without a rule, the splits are those that the corpora are published with.
        """
        name = f"{corpora} {rule}"
        if name not in self._pools:
            self._pools[name] = self._count(corpora, rule)
        return self._pools[name]

    def _count(self, corpora: list[str], rule: Split | None) -> pd.DataFrame:
        if all(self.is_exact(corpus) for corpus in corpora):
            tables = {name: self._table(name) for name in corpora}
            return sizes.counts(lists.split_utterances(corpora, rule, tables, speakers_of(self.corpora)))
        whole = pd.concat([self._of(corpus) for corpus in corpora], ignore_index=True)
        if rule is None or rule.by == "corpus":
            return whole
        if rule.by == "list":
            shares = utterance_lists.shares(lists.read_lists(rule), rule.dev, whole["utterances"].sum())
            return pd.concat([_share_of(whole, split, share) for split, share in shares.items()])
        speakers = sum(part.speakers for corpus in corpora for part in self._size(corpus).speech)
        return pd.concat([_share_of(whole, split, share) for split, share in rule.shares(speakers).items()])

    def _of(self, corpus: str) -> pd.DataFrame:
        return sizes.counts(self._table(corpus)) if self.is_exact(corpus) else self._size(corpus).counts_as(corpus)

    def _table(self, corpus: str) -> pd.DataFrame:
        if self._path(corpus).is_file():
            return utterances.read(self._path(corpus))
        return demo_sizes.utterances(corpus, self.corpora[corpus].layout, self.demo)

    def _path(self, corpus: str) -> Path:
        return self.root / "results/corpora" / corpus / "utterances.parquet"

    @cache  # noqa: B019 - the cache lives as long as the plan
    def _size(self, corpus: str) -> CorpusSize:
        about = self.corpora[corpus]
        return sizes.likely(about.layout, about.size, about.options, self.folders.get(corpus))


def sum_of(counts: pd.DataFrame, column: str = "utterances") -> Amount:
    """The sum of a column of counts."""
    return amount(*counts[column])


def hours_of(counts: pd.DataFrame) -> Amount:
    """The hours of audio of counts."""
    return sum_of(counts, "seconds") / HOUR


def _share_of(counts: pd.DataFrame, split: str, share: float) -> pd.DataFrame:
    return counts.assign(split=split, **{name: counts[name] * share for name in COUNTS})


def reads(speech: pd.DataFrame) -> dict[str, Any]:
    """The numbers of a job that reads recordings once."""
    return {"audio_hours_in": hours_of(speech), "bytes_in": sum_of(speech, "file_bytes")}
