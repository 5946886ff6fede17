"""Cross-testing: every training set (rows) under every condition, or on every corpus (columns), with averages.

The macro average weighs all columns alike. The pooled EER has one threshold for the trials of all conditions together,
each recording once, so a detector whose scores shift between data sets has a higher pooled than macro average.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE
from codecfake.protocols.trials import RECORDING
from codecfake.statistics import metrics
from codecfake.tables.error_rates import ErrorRates, groups, write_csv
from codecfake.tables.settings import GROUP_COLUMNS, MACRO, POOLED, TableSettings
from codecfake.tables.trials import Model, ScoreError, read_joined, read_protocol


@dataclass(frozen=True)
class Pool:
    """The trials of all conditions in their order; arrays are `[N]`, with every recording once."""

    protocols: dict[str, pd.Series]  # condition -> keys by trial_id
    is_first: np.ndarray  # bool, of all trials in a row: whether no earlier condition has the recording
    is_bonafide: np.ndarray
    corpora: np.ndarray  # str


def write_cross(
    score_root: Path, protocol_root: Path, settings: TableSettings, error_rates: ErrorRates, output: Path
) -> None:
    """Write `cross_conditions.csv` and `cross_corpora.csv`: EERs in percent, means over seeds.

    A corpus whose trials all have one key has no EER: its cells are empty, and the macro average leaves it out.
    Raises ScoreError as `read_joined`, and if conditions disagree about the key of a recording.
    """
    pool = read_pool(protocol_root, settings.conditions)
    by_group = {group[0].group: _pooled(score_root, pool, group) for group in groups(settings.models)}
    pooled = {name: values[POOLED] for name, values in by_group.items()}
    corpora = {
        name: {key: value for key, value in values.items() if key != POOLED} for name, values in by_group.items()
    }
    conditions = _of_conditions(error_rates, settings)
    for name, columns in (("cross_conditions", conditions), ("cross_corpora", corpora)):
        write_csv(output / f"{name}.csv", pd.DataFrame(_rows(settings, columns, pooled)))


def read_pool(protocol_root: Path, conditions: Sequence[str]) -> Pool:
    """The trials of all conditions. Raises ScoreError if two of them disagree about the key of a recording."""
    tables = [files.read_tsv(protocol_root / f"{name}.tsv").assign(condition=name) for name in conditions]
    trials = pd.concat(tables, ignore_index=True)
    keys = trials.groupby(RECORDING)["key"].transform("nunique")
    if (keys > 1).any():
        row = trials[keys > 1].iloc[0]
        raise ScoreError(
            f"{'/'.join(row[RECORDING])} is bona fide in one of {', '.join(conditions)} and a spoof in another; "
            f"an EER over all of them needs one key: correct the corpora"
        )
    is_first = ~trials.duplicated(RECORDING).to_numpy()
    once = trials[is_first]
    is_bonafide, corpora = (once["key"] == BONAFIDE).to_numpy(), once["corpus"].to_numpy(str)
    protocols = {name: read_protocol(protocol_root / f"{name}.tsv") for name in conditions}
    return Pool(protocols, is_first, is_bonafide, corpora)


def _pooled(score_root: Path, pool: Pool, group: Sequence[Model]) -> dict[str, float]:
    """EERs of all trials, and of those of each corpus, by its name; means over the seeds of a group, in percent."""
    values = pd.DataFrame([dict(_of_model(score_root, pool, model)) for model in group])
    return {str(name): float(mean) for name, mean in values.mean().items()}


def _of_model(score_root: Path, pool: Pool, model: Model) -> Iterator[tuple[str, float]]:
    parts = [read_joined(score_root / model.name / f"{name}.tsv", keys) for name, keys in pool.protocols.items()]
    scores = np.concatenate(parts)[pool.is_first]
    yield POOLED, _eer(scores, pool.is_bonafide)
    for corpus in np.unique(pool.corpora):
        mask = pool.corpora == corpus
        yield corpus, _eer(scores[mask], pool.is_bonafide[mask])


def _eer(scores: np.ndarray, is_bonafide: np.ndarray) -> float:
    """In percent; NaN if a key has no trial."""
    if is_bonafide.all() or not is_bonafide.any():
        return np.nan
    return 100 * metrics.eer(scores[is_bonafide], scores[~is_bonafide]).eer


def _of_conditions(error_rates: ErrorRates, settings: TableSettings) -> dict[str, dict[str, float]]:
    """Group of models -> condition -> EER in percent, the mean over seeds."""
    table = error_rates.seeds
    names = table[GROUP_COLUMNS].agg("/".join, axis=1)
    means = dict(zip(zip(names, table["condition"], strict=True), table["eer_percent"], strict=True))
    return {name: {each: means[name, each] for each in settings.conditions} for name in dict.fromkeys(names)}


def _rows(
    settings: TableSettings, columns: dict[str, dict[str, float]], pooled: dict[str, float]
) -> Iterator[dict[str, object]]:
    for group in groups(settings.models):
        model = group[0]
        values = columns[model.group]
        yield {
            **{name: getattr(model, name) for name in GROUP_COLUMNS},
            "num_seeds": len(group),
            **values,
            MACRO: float(pd.Series(values, dtype=float).mean()),
            POOLED: pooled[model.group],
        }
