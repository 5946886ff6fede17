"""The same audio under two names: declared (controls, aliases), or from a codec that ignores its bit rate."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from codecfake.audio.shards import AudioStore
from codecfake.audit.lists import TrialList, audio_names
from codecfake.audit.overlap import ACCEPTED, FAULT, REPORTED
from codecfake.audit.settings import AuditSettings
from codecfake.base.degraded_names import base_of, degradation_of, kind_of, parts, with_degradation
from codecfake.degradation.settings import CODEC
from codecfake.protocols.lists import RECORDINGS

EXPECTED = "expected"


@dataclass(frozen=True)
class Duplicate:
    """`same` of `shared` utterances have the same bytes in both."""

    first: str  # corpus/source, or a declared source
    second: str
    same: int
    shared: int
    example: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Twins:
    """Whether the fakes of a list have their recordings."""

    list: str
    source: str
    fakes: int
    recorded: int  # the recording is in the shards
    equally_long: int  # and as long as the fake
    in_list: int  # and the recording is in the same list
    verdict: str
    example: str


def duplicates(settings: AuditSettings, store: AudioStore) -> list[Duplicate]:
    """Declared aliases, then pairs of sources with common bytes, and bytes that occur twice in one source."""
    rows = [Duplicate(alias, original, 0, 0, "", EXPECTED, "declared with same_as, made once")
            for alias, original in settings.aliases.items()]  # fmt: skip
    names = audio_names(store)
    for corpus in sorted({corpus for corpus, _ in store.index.sources}):
        arms = {source: _arm(store, names, corpus, source) for c, source in store.index.sources if c == corpus}
        rows += [row for source, arm in arms.items() for row in _repeats(f"{corpus}/{source}", arm)]
        for first, second in combinations(arms, 2):
            rows += _pair(settings, corpus, (first, second), (arms[first], arms[second]))
    return rows + list(_between_corpora(store, names))


def twins(settings: AuditSettings, lists: list[TrialList], store: AudioStore) -> Iterator[Twins]:
    """For each list and source of fakes made here: whether the recordings exist and have the same length.

    The recordings of degraded fakes are degraded alike.
    """
    recording_rows: dict[str, set[int]] = {}  # protocol -> the rows of its recordings
    for item in lists:
        recordings = item.trials.loc[item.trials["source"].map(base_of) == RECORDINGS, "row"]
        recording_rows.setdefault(item.protocol, set()).update(recordings)
    for item in lists:
        for source, fakes in item.trials[item.trials["source"].map(base_of) != RECORDINGS].groupby("source"):
            yield _twins(settings, item, str(source), fakes, recording_rows[item.protocol], store)


def _twins(
    settings: AuditSettings,
    item: TrialList,
    source: str,
    fakes: pd.DataFrame,
    recording_rows: set[int],
    store: AudioStore,
) -> Twins:
    partner = with_degradation(RECORDINGS, degradation_of(source))
    real = store.index.rows(fakes.assign(source=partner)[["corpus", "source", "utterance_id"]])
    there = real >= 0
    entries = [store.index.entries[np.where(there, real, 0)], store.index.entries[fakes["row"].to_numpy()]]
    durations = [entry["num_samples"] / entry["sample_rate"] for entry in entries]
    period = 1 / np.minimum(entries[0]["sample_rate"], entries[1]["sample_rate"])
    long = there & (np.abs(durations[0] - durations[1]) < period)
    both = sum(row in recording_rows for row in real.tolist())
    wrong = fakes.loc[~long, "trial_id"]
    verdict, example = ("ok", "") if wrong.empty else (FAULT, str(wrong.min()))
    if verdict == FAULT and "twins" in settings.limits.accepted:
        verdict = ACCEPTED
    return Twins(item.name, source, len(fakes), int(there.sum()), int(long.sum()), both, verdict, example)


def _arm(store: AudioStore, names: np.ndarray, corpus: str, source: str) -> pd.Series:
    rows = store.index.sources[(corpus, source)]
    ids = store.index.utterance_ids[rows.start : rows.stop].to_pylist()
    return pd.Series(names[rows.start : rows.stop], index=ids)


def _repeats(name: str, arm: pd.Series) -> list[Duplicate]:
    again = arm[arm.duplicated(keep=False)]
    if again.empty:
        return []
    example = " = ".join(again[again == again.iloc[0]].index[:2])
    why = "utterances of one source with the same bytes"
    return [Duplicate(name, name, len(again), len(arm), example, REPORTED, why)]


def _pair(
    settings: AuditSettings, corpus: str, sources: tuple[str, str], arms: tuple[pd.Series, pd.Series]
) -> list[Duplicate]:
    first, second = arms[0].align(arms[1], join="inner")
    same = first.index[first.to_numpy() == second.to_numpy()]
    if same.empty:
        return []
    verdict, why = _verdict(settings, sources, len(same) == len(first))
    names = f"{corpus}/{sources[0]}", f"{corpus}/{sources[1]}"
    return [Duplicate(*names, len(same), len(first), str(same[0]), verdict, why)]


def _verdict(settings: AuditSettings, sources: tuple[str, str], whole: bool) -> tuple[str, str]:
    alike = degradation_of(sources[0]) == degradation_of(sources[1])
    if alike and all(base_of(source) in (RECORDINGS, *settings.controls) for source in sources):
        return EXPECTED, "a control codes nothing"
    if not whole:
        return REPORTED, "some utterances are equal"
    # recordings through a codec, as a channel or as an attack, or through one that loses nothing
    if not alike and sum(map(_has_second_codec, sources)) == 1:
        return REPORTED, "a second codec gives the audio of a source"
    if "duplicates" in settings.limits.accepted:
        return ACCEPTED, settings.limits.accepted["duplicates"]
    return FAULT, "two sources have the same audio, and the experiment does not declare it"


def _has_second_codec(source: str) -> bool:
    series, _ = parts(degradation_of(source))
    return kind_of(series) == CODEC


def _between_corpora(store: AudioStore, names: np.ndarray) -> Iterator[Duplicate]:
    corpora = sorted(corpus for corpus, source in store.index.sources if source == RECORDINGS)
    arms = {corpus: _arm(store, names, corpus, RECORDINGS) for corpus in corpora}
    for first, second in combinations(corpora, 2):
        common = arms[first][arms[first].isin(arms[second])]
        if len(common):
            why = "two corpora have the same recordings"
            labels = f"{first}/{RECORDINGS}", f"{second}/{RECORDINGS}"
            yield Duplicate(*labels, len(common), len(arms[first]), str(common.index[0]), REPORTED, why)
