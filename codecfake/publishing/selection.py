"""What a user chooses to publish of a run."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from codecfake.base.degraded_names import degradation_of
from codecfake.base.suggestions import unknown
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.licensing import REDISTRIBUTABLE


@dataclass(frozen=True)
class Selection:
    """The chosen parts, sources, splits, languages and licenses; an empty tuple chooses all that the run has."""

    parts: tuple[str, ...] = ()  # domains and conditions
    sources: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()  # SPDX; (): `REDISTRIBUTABLE`
    ladders: bool = False  # the steps of laundering ladders, too; otherwise those alone that `parts` names

    @property
    def allowed(self) -> tuple[str, ...]:
        """The licenses of clips that are published, sorted."""
        return tuple(sorted(self.licenses or REDISTRIBUTABLE))

    def of(self, trials: pd.DataFrame) -> pd.DataFrame:
        """The chosen rows of trials with the columns part, source, split and language.

        Raises PublishingError for a value that no trial has, or if no row is left.
        """
        choices = {"part": self.parts, "source": self.sources, "split": self.splits, "language": self.languages}
        for column, values in choices.items():
            _require_known(column, values, trials[column].unique())
        trials = trials if self.ladders else self._without_ladders(trials)
        for column, values in choices.items():
            trials = trials[trials[column].isin(values)] if values else trials
        if trials.empty:
            wanted = ", ".join(f"{column} {' or '.join(values)}" for column, values in choices.items() if values)
            raise PublishingError(
                f"no trial has {wanted} at once; choose more of --parts, --sources, --splits, --languages"
            )
        return trials

    def plain(self) -> dict[str, Any]:
        """Plain values; `ladders` is left out where it is not set, so that older publications keep their record."""
        return {name: value for name, value in asdict(self).items() if name != "ladders" or value}

    def _without_ladders(self, trials: pd.DataFrame) -> pd.DataFrame:
        parts = trials["part"].astype(str)
        return trials[(parts.map(degradation_of) == "") | parts.isin(self.parts)]


def _require_known(column: str, values: Iterable[str], choices: Collection[str]) -> None:
    for value in values:
        if value not in choices:
            raise PublishingError(f"--{column}s: {unknown(f'{column} of this run', value, sorted(choices))}")
