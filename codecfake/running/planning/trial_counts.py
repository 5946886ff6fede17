"""Counts of the trials of domains, conditions and training sets, before their protocols exist."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from codecfake.corpora.sizes import CELL
from codecfake.experiment import ladders, partial_fakes, tracing_tasks
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.schema import Experiment
from codecfake.protocols import lists
from codecfake.protocols.lists import Selection
from codecfake.running.planning.counts import CorpusCounts, sum_of
from codecfake.running.planning.steps import Amount

CLIP = [*CELL, "source", "utterances"]  # `utterances` distinguishes splits of one name from different rules


@dataclass(frozen=True)
class TrialCounts:
    """The trials of an experiment, as its protocols will have them."""

    experiment: Experiment
    jobs: Jobs
    counts: CorpusCounts

    def trials_of_domain(self, domain: str, split: str) -> pd.DataFrame:
        """Counts of the train or dev trials of a domain, with their `source`."""
        settings = self.jobs.write_partition(domain).settings
        return _table(lists.partition_selection(settings, split, self.counts.pool))

    def trials_of_condition(self, condition: str) -> pd.DataFrame:
        """Counts of the trials of a condition."""
        return _table(lists.condition_selection(self.jobs.write_condition(condition).settings, self.counts.pool))

    def degraded_speech(self, corpus: str, degradations: Iterable[str]) -> pd.DataFrame:
        """Counts of the utterances of a corpus that a source has after each of these degradations."""
        conditions = [each for step in degradations for each in ladders.conditions_with(self.experiment, corpus, step)]
        trials = pd.concat([self.trials_of_condition(condition) for condition in dict.fromkeys(conditions)])
        return trials[trials["corpus"] == corpus].drop_duplicates([*CELL, "utterances"])

    @cached_property
    def evaluation(self) -> tuple[Amount, Amount]:
        """The number of trials of all conditions, and of clips that a model scores, each once."""
        trials = pd.concat([self.trials_of_condition(condition) for condition in self.experiment.conditions])
        return sum_of(trials), _distinct(trials)

    @cached_property
    def segments(self) -> Amount:
        """The number of segments that a model scores."""
        names = partial_fakes.conditions(self.experiment)
        trials = pd.concat([self.trials_of_condition(name) for name in names]).drop_duplicates(CLIP)
        return sum_of(trials, "seconds") / self.experiment.segments.hop

    def number(self, training_set: str, split: str) -> Amount:
        """The number of train or dev trials of a training set."""
        domains = self.experiment.training_sets[training_set].domains
        return sum_of(pd.concat([self.trials_of_domain(domain, split) for domain in domains]))

    def numbers_to_trace(self, task: str) -> tuple[Amount, Amount]:
        """The numbers of train and dev trials of a task of source tracing, at most: those of its domain."""
        domain = self.experiment.tracing[task].domain
        return sum_of(self.trials_of_domain(domain, "train")), sum_of(self.trials_of_domain(domain, "dev"))

    def number_traced(self, task: str) -> Amount:
        """The number of clips whose source it traces."""
        conditions = tracing_tasks.conditions(self.experiment, task)
        return _distinct(pd.concat([self.trials_of_condition(condition) for condition in conditions]))

    def number_of_source(self, domains: Sequence[str], corpus: str, source: str) -> Amount:
        """The number of clips of a source in the train and dev trials of domains, which may share some."""
        trials = pd.concat([self.trials_of_domain(domain, split) for domain in domains for split in ("train", "dev")])
        own = trials[(trials["corpus"] == corpus) & (trials["source"] == source)]
        return _distinct(own)


def _distinct(trials: pd.DataFrame) -> Amount:
    """The number of clips in trials, each once."""
    return sum_of(trials.drop_duplicates(CLIP))


def _table(selection: Selection) -> pd.DataFrame:
    return pd.concat([rows.assign(source=source) for source, rows in selection])
