"""The number of trials in the lists of an experiment, computed from counts of utterances."""

import pandas as pd

from codecfake.base.utterances import BONAFIDE, SPLITS, SPOOF
from codecfake.experiment.schema import Experiment, Selection
from codecfake.protocols.lists import RECORDINGS
from codecfake.running.planning.counts import CELL, CorpusCounts


class TrialCounts:
    """Trials with their seconds of audio: columns of `COUNTS`, by (corpus, key, split), and `source`."""

    def __init__(self, experiment: Experiment, counts: CorpusCounts) -> None:
        self._experiment, self._counts = experiment, counts

    def of_domain(self, domain: str, split: str) -> pd.DataFrame:
        """The train or dev trials of a domain: its recordings, and its sources' fakes of bona fide speech."""
        rule = self._experiment.domains[domain]
        counts = self._counts.by_split(rule.corpora, rule.split)
        counts = counts[(counts["split"] == split) & counts["corpus"].isin(rule.keep or rule.corpora)]
        bonafide = counts[counts["key"] == BONAFIDE]
        sources = [bonafide.assign(source=self._experiment.original(source)) for source in rule.sources]
        return pd.concat([counts.assign(source=RECORDINGS), *sources], ignore_index=True)

    def of_training_set(self, training_set: str, split: str) -> pd.DataFrame:
        """The trials of all domains of a training set."""
        domains = self._experiment.training_sets[training_set].domains
        return pd.concat([self.of_domain(domain, split) for domain in domains], ignore_index=True)

    def of_condition(self, condition: str) -> pd.DataFrame:
        """The trials of a condition."""
        sides = self._experiment.conditions[condition]
        return pd.concat([self._side(sides.bonafide, BONAFIDE), self._side(sides.spoof, SPOOF)], ignore_index=True)

    def evaluated(self) -> pd.DataFrame:
        """The clips that a model scores: the trials of all conditions, each recording once."""
        whole = pd.concat([self.of_condition(condition) for condition in self._experiment.conditions])
        # `utterances` distinguishes splits of the same name from different rules
        return whole.drop_duplicates([*CELL, "source", "utterances"], ignore_index=True)

    def _side(self, selection: Selection, key: str) -> pd.DataFrame:
        counts = self._of_selection(selection)
        counts = counts[counts["corpus"].isin(self._experiment.corpora_of(selection))]
        if selection.utterances == "eval" and counts["split"].isin(SPLITS).any():
            counts = counts[counts["split"] == "eval"]
        # codecs make spoofs from bona fide speech; other spoofs are in the corpus as such
        origin = key if selection.source == RECORDINGS else BONAFIDE
        return counts[counts["key"] == origin].assign(source=self._experiment.original(selection.source))

    def _of_selection(self, selection: Selection) -> pd.DataFrame:
        if selection.domain is not None:
            domain = self._experiment.domains[selection.domain]
            return self._counts.by_split(domain.corpora, domain.split)
        assert selection.corpus is not None
        return self._counts.of(selection.corpus)
