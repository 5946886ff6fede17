"""Trials of source tracing: each is of the class that has its source."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.trials import RECORDING, TrialsError

Classes = Mapping[str, Sequence[str]]  # class -> its sources


def of_sources(trials: pd.DataFrame, sources: Iterable[str]) -> pd.DataFrame:
    """The trials of these sources, each recording once; recorded spoofs are left out, since no source names them."""
    is_ours = trials["source"].isin(list(sources))
    is_recorded_spoof = (trials["source"] == RECORDINGS) & (trials["key"] != BONAFIDE)
    return trials[is_ours & ~is_recorded_spoof].drop_duplicates(RECORDING).reset_index(drop=True)


def indices(trials: pd.DataFrame, classes: Classes) -> pd.Series:
    """The number of each trial's class, in the order of `classes`; -1 for a source of no class."""
    numbers = {source: number for number, sources in enumerate(classes.values()) for source in sources}
    return trials["source"].map(numbers).fillna(-1).astype(int)


def require_every_class(trials: pd.DataFrame, classes: Classes, name: str) -> None:
    """Raise TrialsError if a class has no trial."""
    for label, sources in classes.items():
        if not trials["source"].isin(list(sources)).any():
            raise TrialsError(
                f"the {name} lists have no trial of class {label!r} ({', '.join(sources)}); every class needs some: "
                f"take more utterances, or remove the class"
            )
