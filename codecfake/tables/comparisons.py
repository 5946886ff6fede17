"""Which of two models has the lower EER on the same trials, for all pairs that a paper's claims are about.

Strategies are compared with plain training, and training sets with one another, everything else being equal. If there
are many training sets, each is compared with the best model without codec fakes, as in Wu et al. 2024 (§4.2). Released
weights count as a training set. P values are corrected for the number of tests.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.statistics import metrics
from codecfake.statistics.intervals import BootstrapSettings
from codecfake.statistics.significance import Comparison, compare, holm, paired_tests, utterance_errors
from codecfake.tables.eer_intervals import generator
from codecfake.tables.error_rates import Rows, over_conditions, write_csv
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import ConditionTrials, Model, read_joined, read_trials

BASE_STRATEGY = "erm"
MOST_TRAINING_SETS = 4  # with at most this many, all pairs are compared
COLUMNS = [
    "family", "condition", "first", "second", "first_eer_percent", "second_eer_percent", "difference_percent_points",
    "low_percent_points", "high_percent_points", "level", "method", "p_value", "holm_p_value", "significant",
    "t_test_p_value", "wilcoxon_p_value", "significant_as_wu2024", "num_speakers", "note",
]  # fmt: skip
P_VALUES = ["p_value", "holm_p_value", "t_test_p_value", "wilcoxon_p_value"]
Eers = dict[str, float]  # model name -> its EER


@dataclass(frozen=True)
class Pair:
    """Two models. `family` says what they differ by; p values are corrected within a family, over all conditions."""

    family: str
    first: str  # model names
    second: str


def write_comparisons(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], output: Path, workers: int = 1
) -> None:
    """Write `comparisons.csv` into `output`: first − second, one row per pair and condition, p values to 3 digits."""
    table = comparison_table(score_root, protocol_root, settings, baselines, workers)
    texts = {name: table[name].map("{:.3g}".format, na_action="ignore") for name in P_VALUES}
    write_csv(output / "comparisons.csv", table.assign(**texts))


def comparison_table(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], workers: int = 1
) -> pd.DataFrame:
    """Comparisons of all pairs under all conditions, with p values adjusted by Holm's method in each family.

    `baselines` are training sets without codec fakes. Raises ScoreError as `read_trials` and `read_joined`.
    """
    work = partial(_condition, score_root, protocol_root, settings, baselines)
    rows_by_condition = over_conditions(work, settings.conditions, workers)
    table = pd.DataFrame([row for rows in rows_by_condition for row in rows], columns=COLUMNS)
    table["holm_p_value"] = table.groupby("family")["p_value"].transform(_holm)
    has_p_value = table["holm_p_value"].notna()
    table["significant"] = table["significant"].astype(object)
    table.loc[has_p_value, "significant"] = table.loc[has_p_value, "holm_p_value"] < 1 - settings.level
    return table


def pairs_of(models: list[Model], baselines: list[str], eers: Callable[[], Eers]) -> Iterator[Pair]:
    """The pairs to compare under one condition; `eers` is called only if the best baseline is needed."""
    sets = list(dict.fromkeys(model.training_set for model in models))
    yield from _strategies(models)
    if len(sets) <= MOST_TRAINING_SETS:
        yield from _training_sets(models)
    else:
        yield from _best_baseline(models, baselines, eers())


def _strategies(models: list[Model]) -> Iterator[Pair]:
    """Pairs of every strategy with plain training of the same detector, training set and seed."""
    names = {model.name for model in models}
    for model in models:
        base = Model(model.detector, model.training_set, BASE_STRATEGY, model.seed).name
        if model.name != base and base in names:
            yield Pair("strategy", model.name, base)


def _training_sets(models: list[Model]) -> Iterator[Pair]:
    """Pairs of training sets of the same detector, strategy and seed; a released model is compared with every seed."""
    for second, first in combinations(models, 2):
        same = (first.detector, first.strategy) == (second.detector, second.strategy)
        same = same and (first.seed == second.seed or first.is_released != second.is_released)
        if same and first.training_set != second.training_set:
            yield Pair("training set", first.name, second.name)


def _best_baseline(models: list[Model], baselines: list[str], eers: Eers) -> Iterator[Pair]:
    """Pairs of every model trained on codec fakes with the best model trained without them."""
    without = [model for model in models if model.training_set in baselines]
    if without:
        best = min(without, key=lambda model: eers[model.name])
        yield from (Pair("best baseline", m.name, best.name) for m in models if m.training_set not in baselines)


def _condition(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], condition: str
) -> Rows:
    trials = read_trials(protocol_root / f"{condition}.tsv", settings.speakers_of.get(condition))
    models = [Model.parse(name) for name in settings.models]
    path = f"{trials.condition}.tsv"
    scores = {name: read_joined(score_root / name / path, trials.keys) for name in settings.models}
    mask = trials.is_bonafide

    def eers() -> Eers:
        return {name: metrics.eer(scores[mask], scores[~mask]).eer for name, scores in scores.items()}

    return [
        _row(trials, pair, scores[pair.first], scores[pair.second], settings)
        for pair in pairs_of(models, baselines, eers)
    ]


def _row(
    trials: ConditionTrials, pair: Pair, first: np.ndarray, second: np.ndarray, settings: TableSettings
) -> dict[str, object]:
    wu = paired_tests(utterance_errors(first, trials.is_bonafide), utterance_errors(second, trials.is_bonafide))
    row: dict[str, object] = {
        "family": pair.family,
        "condition": trials.condition,
        "first": pair.first,
        "second": pair.second,
        "t_test_p_value": wu.t_test_p,
        "wilcoxon_p_value": wu.wilcoxon_p,
        "significant_as_wu2024": wu.significant(),
        "num_speakers": trials.num_speakers,
    }
    rng = generator(settings.seed, pair.first, pair.second, trials.condition)
    return {**row, **_test_columns(trials, first, second, settings.bootstrap, rng)}


def _test_columns(
    trials: ConditionTrials,
    first: np.ndarray,
    second: np.ndarray,
    settings: BootstrapSettings,
    rng: np.random.Generator,
) -> dict[str, object]:
    """The paired test that draws `trials.resampling_unit`, or speakers or trials if that fails, as `seed_intervals`."""
    reasons: list[str] = []
    for by in dict.fromkeys((trials.resampling_unit, "speaker", "trial")):
        bootstrap = BootstrapSettings(by, settings.resamples, settings.level)
        try:
            return _columns(compare(trials.labels, first, second, bootstrap, rng), reasons)
        except ValueError as error:
            reasons.append(f"no resampling by {by.replace('_', ' ')}: {error}")
    return {"note": "; ".join(reasons)}


def _columns(comparison: Comparison, reasons: list[str]) -> dict[str, object]:
    """Columns of a comparison, without an interval if all draws give the same difference."""
    difference = comparison.difference
    silent = (
        ["every draw gives the same difference: no interval, and p is an upper bound"] if comparison.bounded else []
    )
    few = [f"few clusters ({difference.clusters})"] if difference.few_clusters else []
    return {
        "first_eer_percent": 100 * comparison.first,
        "second_eer_percent": 100 * comparison.second,
        "difference_percent_points": 100 * difference.estimate,
        "low_percent_points": math.nan if comparison.bounded else 100 * difference.low,
        "high_percent_points": math.nan if comparison.bounded else 100 * difference.high,
        "level": difference.level,
        "method": difference.method,
        "p_value": comparison.p_value,
        "note": "; ".join(filter(None, [difference.note, *silent, *reasons, *few])),
    }


def _holm(p_values: pd.Series) -> pd.Series:
    values = p_values.dropna()
    return pd.Series(holm(list(values)), index=values.index, dtype=float).reindex(p_values.index)
