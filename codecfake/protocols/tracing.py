"""Trials of source tracing: each is of the class that has its source.

The source of a recording is `F00` if it is bona fide, or `{corpus}/{key}` where a task names this: the bona fide speech
of one corpus, or its recorded spoofs, such as the fakes of a generator. A trial has one source: `F00` is all bona fide
recordings that have no other name in the task.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from codecfake.base.utterances import BONAFIDE, KEYS
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.trials import RECORDING, TrialsError

Classes = Mapping[str, Sequence[str]]  # class -> its sources
OF = "/"  # between the corpus and the key of a source of recordings


def recorded(corpus: str, key: str) -> str:
    """The source that is the recordings of a corpus with this key."""
    return f"{corpus}{OF}{key}"


def is_bonafide_speech(source: str) -> bool:
    """Whether a source is bona fide recordings, so that no codec made it."""
    return source == RECORDINGS or source.endswith(f"{OF}{BONAFIDE}")


def sources_of(classes: Classes) -> list[str]:
    """The sources of all classes, in their order."""
    return [source for sources in classes.values() for source in sources]


def traced_sources(trials: pd.DataFrame, sources: Iterable[str]) -> pd.Series:
    """The one of `sources` that each trial is from; missing for a trial of none of them."""
    names = list(sources)
    is_recorded = trials["source"] == RECORDINGS
    by_corpus = trials["corpus"] + OF + trials["key"]
    others = trials["source"].where(~is_recorded | (trials["key"] == BONAFIDE))
    result = others.mask(is_recorded & by_corpus.isin(names), by_corpus)
    return result.where(result.isin(names))


def of_sources(trials: pd.DataFrame, sources: Iterable[str]) -> pd.DataFrame:
    """The trials of these sources, each recording once."""
    is_ours = traced_sources(trials, sources).notna()
    return trials[is_ours].drop_duplicates(RECORDING).reset_index(drop=True)


def class_numbers(sources: pd.Series, classes: Classes) -> pd.Series:
    """The number of the class of each trial's traced source, in the order of `classes`; -1 for a source of no class."""
    numbers = {source: number for number, names in enumerate(classes.values()) for source in names}
    return sources.map(numbers).fillna(-1).astype(int)


def require_every_class(trials: pd.DataFrame, classes: Classes, name: str) -> None:
    """Raise TrialsError if a class has no trial."""
    present = set(traced_sources(trials, sources_of(classes)).dropna())
    for label, sources in classes.items():
        if not present & set(sources):
            raise TrialsError(
                f"the {name} lists have no trial of class {label!r} ({', '.join(sources)}); every class needs some: "
                f"take more utterances, or remove the class"
            )


def recorded_sources(corpora: Iterable[str]) -> list[str]:
    """All sources that recordings of these corpora can be, besides `F00`."""
    return [recorded(corpus, key) for corpus in corpora for key in KEYS]
