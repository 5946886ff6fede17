"""EERs by label policy: the same trials and scores, with the keys that each policy gives to coded speech."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.protocols.labels import DEFAULT, EXCLUDED, ORIGINAL_KEY, CodedKeys, attacks
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.people import People
from codecfake.protocols.trials import RECORDING
from codecfake.statistics.intervals import Trials
from codecfake.tables.eer_intervals import generator, seed_intervals
from codecfake.tables.error_rates import SEED_COLUMNS, groups, mean_row, write_csv
from codecfake.tables.settings import GROUP_COLUMNS, TableSettings
from codecfake.tables.trials import ConditionTrials, Model, read_joined, read_protocol

ALL = "all"  # in place of a source: every trial
COUNTS = ["num_bonafide", "num_spoof", "num_excluded", "num_changed"]
COLUMNS = [*GROUP_COLUMNS, "source", "policy", *SEED_COLUMNS, *COUNTS]


@dataclass(frozen=True)
class Pool:
    """The trials of all conditions, each recording once, in the order of the conditions."""

    protocols: dict[str, pd.Series]  # condition -> keys by trial_id
    is_first: np.ndarray  # bool, of all trials in a row: whether no earlier condition has the recording
    trials: pd.DataFrame  # with the columns of protocols, `ORIGINAL_KEY` and `speaker`


def write_label_policies(score_root: Path, protocol_root: Path, settings: TableSettings, output: Path) -> None:
    """Write `label_policy.csv`, if the experiment has policies.

    A row has the mean EER over seeds of one way to train under one policy: of all trials, or (`source`) of all recorded
    trials and those that one source coded. `num_changed` counts trials whose key differs from that of the first
    policy, excluded ones included. The EER is empty where a policy leaves a key without trials. Raises ScoreError as
    `read_joined`.
    """
    if settings.label_policies:
        rows = list(_rows(score_root, read_pool(protocol_root, settings), settings))
        write_csv(output / "label_policy.csv", pd.DataFrame(rows, columns=COLUMNS))


def read_pool(protocol_root: Path, settings: TableSettings) -> Pool:
    """The trials of the conditions of a table."""
    tables = [_read(protocol_root / f"{name}.tsv", settings.speakers_of.get(name)) for name in settings.conditions]
    trials = pd.concat(tables, ignore_index=True)
    is_first = ~trials.duplicated(RECORDING).to_numpy()
    protocols = {name: read_protocol(protocol_root / f"{name}.tsv") for name in settings.conditions}
    return Pool(protocols, is_first, trials[is_first].reset_index(drop=True))


def keys_under(trials: pd.DataFrame, policy: Mapping[str, CodedKeys]) -> pd.Series:
    """The key of each trial, or `EXCLUDED`, under a policy: source -> its keys; other sources have the default."""
    by_source = {source: {**DEFAULT, **policy.get(source, {})} for source in trials["source"].unique()}
    by_source[RECORDINGS] = {key: key for key in (BONAFIDE, SPOOF)}
    pairs = zip(trials["source"], trials[ORIGINAL_KEY], strict=True)
    return pd.Series([by_source[source][key] for source, key in pairs], index=trials.index, dtype=object)


def _read(path: Path, speakers_of: dict[str, str] | None) -> pd.DataFrame:
    table = files.read_tsv(path)
    if ORIGINAL_KEY not in table:  # coded trials are bona fide speech
        table[ORIGINAL_KEY] = table["key"].where(table["source"] == RECORDINGS, BONAFIDE)
    return table.assign(speaker=People(table, speakers_of=speakers_of).names(table))


def _rows(score_root: Path, pool: Pool, settings: TableSettings) -> Iterator[dict[str, object]]:
    sources = [source for source in dict.fromkeys(pool.trials["source"]) if source != RECORDINGS]
    keys = {policy.name: keys_under(pool.trials, policy.keys) for policy in settings.label_policies}
    first = next(iter(keys.values()))
    for group in groups(settings.models):
        scores = [_scores(score_root, pool, model) for model in group]
        for source in (ALL, *sources):
            mask = (pool.trials["source"].isin([RECORDINGS, source]) | (source == ALL)).to_numpy()
            for policy, own in keys.items():
                place = {**_place(group), "source": source, "policy": policy}
                counts = _counts(own[mask], first[mask])
                yield {**place, **_eer(pool.trials, own, mask, scores, settings, place), **counts}


def _place(group: Sequence[Model]) -> dict[str, object]:
    return {name: getattr(group[0], name) for name in GROUP_COLUMNS}


def _scores(score_root: Path, pool: Pool, model: Model) -> np.ndarray:
    parts = [read_joined(score_root / model.name / f"{name}.tsv", keys) for name, keys in pool.protocols.items()]
    return np.concatenate(parts)[pool.is_first]


def _counts(keys: pd.Series, first: pd.Series) -> dict[str, object]:
    numbers = [int((keys == key).sum()) for key in (BONAFIDE, SPOOF, EXCLUDED)]
    return dict(zip(COUNTS, [*numbers, int((keys != first).sum())], strict=True))


def _eer(
    trials: pd.DataFrame,
    keys: pd.Series,
    mask: np.ndarray,
    scores: Sequence[np.ndarray],
    settings: TableSettings,
    place: dict[str, object],
) -> dict[str, object]:
    """The EER of the trials in `mask` with `keys`, over seeds; nothing if a key has no trial."""
    is_labeled = mask & (keys != EXCLUDED).to_numpy()
    own, key = trials[is_labeled], keys[is_labeled]
    if key.nunique() < 2:
        return {"num_seeds": len(scores)}
    # attacks of recorded trials stay; those of coded ones depend on the key
    coded = attacks(own["attack"], own["source"], own[ORIGINAL_KEY], key)
    attack = own["attack"].where(own["source"] == RECORDINGS, coded)
    labels = Trials((key == BONAFIDE).to_numpy(), own["speaker"].to_numpy(str), attack.to_numpy(str))
    # the same draws for all policies of a source
    rng = generator(settings.seed, *(str(place[name]) for name in (*GROUP_COLUMNS, "source")))
    condition = ConditionTrials(str(place["source"]), key, labels)
    return mean_row(seed_intervals(condition, [one[is_labeled] for one in scores], settings.bootstrap, rng))
