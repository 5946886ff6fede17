"""Which of two models errs less on the same trials: every pair that a paper's claim is about, corrected for number.

Strategies are compared with plain training, and training sets with one another, all else equal. Where training sets
are many, each is compared with the best model of those without codec fakes, as Wu et al. 2024 (§4.2) do.
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
from codecfake.tables.rate_intervals import generator
from codecfake.tables.rates import Rows, over_conditions, write_csv
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import Judged, Model, read_joined, read_judged

BASE_STRATEGY = "erm"
MOST_TRAINING_SETS = 4  # of which all pairs are compared
COLUMNS = [
    "family", "condition", "first", "second", "first_eer_percent", "second_eer_percent", "difference_percent_points",
    "low_percent_points", "high_percent_points", "level", "method", "p_value", "holm_p_value", "significant",
    "t_test_p_value", "wilcoxon_p_value", "significant_as_wu2024", "num_speakers", "note",
]  # fmt: skip
P_VALUES = ["p_value", "holm_p_value", "t_test_p_value", "wilcoxon_p_value"]
Eers = dict[str, float]  # model name -> its EER


@dataclass(frozen=True)
class Pair:
    """`family`: what the two differ by; p-values are corrected within a family, over all of its conditions."""

    family: str
    first: str  # model names
    second: str


def write_comparisons(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], output: Path, workers: int = 1
) -> None:
    """Write `comparisons.csv` into `output`: first − second, a row a pair and condition; p values to three digits."""
    table = compared(score_root, protocol_root, settings, baselines, workers)
    shown = {name: table[name].map("{:.3g}".format, na_action="ignore") for name in P_VALUES}
    write_csv(output / "comparisons.csv", table.assign(**shown))


def compared(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], workers: int = 1
) -> pd.DataFrame:
    """Comparisons of all pairs under all conditions, with p-values adjusted by Holm's method in each family.

    `baselines` are training sets without codec fakes. Raises ScoreError as `read_judged` and `read_joined`.
    """
    work = partial(_condition, score_root, protocol_root, settings, baselines)
    found = over_conditions(work, settings.conditions, workers)
    table = pd.DataFrame([row for rows in found for row in rows], columns=COLUMNS)
    table["holm_p_value"] = table.groupby("family")["p_value"].transform(_holm)
    known = table["holm_p_value"].notna()
    table["significant"] = table["significant"].astype(object)
    table.loc[known, "significant"] = table.loc[known, "holm_p_value"] < 1 - settings.level
    return table


def pairs_of(models: list[Model], baselines: list[str], eers: Callable[[], Eers]) -> Iterator[Pair]:
    """The pairs that are compared under one condition; `eers` are asked for only where the best baseline is."""
    sets = list(dict.fromkeys(model.training_set for model in models))
    yield from _strategies(models)
    if len(sets) <= MOST_TRAINING_SETS:
        yield from _training_sets(models)
    else:
        yield from _best_baseline(models, baselines, eers())


def _strategies(models: list[Model]) -> Iterator[Pair]:
    """Every strategy with plain training of the same detector, training set and seed."""
    names = {model.name for model in models}
    for model in models:
        base = Model(model.detector, model.training_set, BASE_STRATEGY, model.seed).name
        if model.name != base and base in names:
            yield Pair("strategy", model.name, base)


def _training_sets(models: list[Model]) -> Iterator[Pair]:
    """Every two training sets of the same detector, strategy and seed."""
    for second, first in combinations(models, 2):
        same = (first.detector, first.strategy, first.seed) == (second.detector, second.strategy, second.seed)
        if same and first.training_set != second.training_set:
            yield Pair("training set", first.name, second.name)


def _best_baseline(models: list[Model], baselines: list[str], eers: Eers) -> Iterator[Pair]:
    """Every model that saw codec fakes with the one of those without that errs least."""
    without = [model for model in models if model.training_set in baselines]
    if without:
        best = min(without, key=lambda model: eers[model.name])
        yield from (Pair("best baseline", m.name, best.name) for m in models if m.training_set not in baselines)


def _condition(
    score_root: Path, protocol_root: Path, settings: TableSettings, baselines: list[str], condition: str
) -> Rows:
    judged = read_judged(protocol_root / f"{condition}.tsv")
    models = [Model.parse(name) for name in settings.models]
    path = f"{judged.condition}.tsv"
    read = {name: read_joined(score_root / name / path, judged.protocol) for name in settings.models}
    mask = judged.is_bonafide

    def eers() -> Eers:
        return {name: metrics.eer(scores[mask], scores[~mask]).eer for name, scores in read.items()}

    return [
        _row(judged, pair, read[pair.first], read[pair.second], settings) for pair in pairs_of(models, baselines, eers)
    ]


def _row(
    judged: Judged, pair: Pair, first: np.ndarray, second: np.ndarray, settings: TableSettings
) -> dict[str, object]:
    wu = paired_tests(utterance_errors(first, judged.is_bonafide), utterance_errors(second, judged.is_bonafide))
    row: dict[str, object] = {
        "family": pair.family,
        "condition": judged.condition,
        "first": pair.first,
        "second": pair.second,
        "t_test_p_value": wu.t_test_p,
        "wilcoxon_p_value": wu.wilcoxon_p,
        "significant_as_wu2024": wu.significant(),
        "num_speakers": judged.num_speakers,
    }
    rng = generator(settings.seed, pair.first, pair.second, judged.condition)
    return {**row, **_tested(judged, first, second, settings.bootstrap, rng)}


def _tested(
    judged: Judged, first: np.ndarray, second: np.ndarray, settings: BootstrapSettings, rng: np.random.Generator
) -> dict[str, object]:
    """The paired test by `judged.drawn`, or by the next in line that there are enough of, as `seed_intervals`."""
    refused: list[str] = []
    for by in dict.fromkeys((judged.drawn, "speaker", "trial")):
        drawn = BootstrapSettings(by, settings.resamples, settings.level)
        try:
            return _described(compare(judged.trials, first, second, drawn, rng), refused)
        except ValueError as error:
            refused.append(f"not drawn by {by.replace('_', ' ')}: {error}")
    return {"note": "; ".join(refused)}


def _described(found: Comparison, refused: list[str]) -> dict[str, object]:
    """Columns of a comparison. Where draws never differ although the EERs do, there is no interval."""
    difference = found.difference
    silent = ["every draw gives the same difference: no interval, and p is an upper bound"] if found.bounded else []
    few = [f"rests on {difference.clusters} clusters alone"] if difference.few_clusters else []
    return {
        "first_eer_percent": 100 * found.first,
        "second_eer_percent": 100 * found.second,
        "difference_percent_points": 100 * difference.estimate,
        "low_percent_points": math.nan if found.bounded else 100 * difference.low,
        "high_percent_points": math.nan if found.bounded else 100 * difference.high,
        "level": difference.level,
        "method": difference.method,
        "p_value": found.p_value,
        "note": "; ".join(filter(None, [difference.note, *silent, *refused, *few])),
    }


def _holm(p_values: pd.Series) -> pd.Series:
    known = p_values.dropna()
    return pd.Series(holm(list(known)), index=known.index, dtype=float).reindex(p_values.index)
