"""The values from which every step of a plan is computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from codecfake.base.utterances import BONAFIDE
from codecfake.experiment.schema import Experiment
from codecfake.running.planning.counts import CorpusCounts
from codecfake.running.planning.rates import Rates
from codecfake.running.planning.steps import HOUR, MB, Step, add
from codecfake.running.planning.trials import TrialCounts


@dataclass(frozen=True)
class Basis:
    """An experiment with its counts, on a device (`gpu` or `cpu`)."""

    experiment: Experiment
    corpora: CorpusCounts
    trials: TrialCounts
    rates: Rates
    device: str

    def counts(self, corpora: Iterable[str]) -> pd.DataFrame:
        """Counts of all utterances of some corpora."""
        return pd.concat([self.corpora.of(corpus) for corpus in corpora])

    def bonafide(self, corpora: Iterable[str]) -> pd.DataFrame:
        """Counts of their bona fide utterances, the inputs of codecs."""
        counts = self.counts(corpora)
        return counts[counts["key"] == BONAFIDE]

    def network_hours(self, hours: float, on_cpu: bool = False) -> dict[str, Any]:
        """The field of a step for a network's hours; `on_cpu`: it never runs on a GPU."""
        return {"cpu_hours" if on_cpu else f"{self.device}_hours": hours}

    def small(self, stage: str, rule: str, outputs: tuple[str, ...], mb: str = "mb.small") -> Step:
        """A job of minutes, without measured rates."""
        return Step(stage, rule, (outputs,), cpu_hours=float("nan"), bytes_out=MB * self.rates[mb])


def hours_of(counts: pd.DataFrame) -> float:
    """Hours of audio."""
    return add(counts["seconds"]) / HOUR
