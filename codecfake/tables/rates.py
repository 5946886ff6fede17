"""Score files to tables: error rates with intervals, costs and decisions of every model under every condition."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.statistics import metrics
from codecfake.statistics.intervals import Interval
from codecfake.statistics.significance import over_seeds
from codecfake.tables.rate_intervals import SeedIntervals, generator, seed_intervals, trial_intervals
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import MODEL_COLUMNS, Judged, Model, read_joined, read_judged

logger = logging.getLogger(__name__)

Rows = list[dict[str, object]]
Found = TypeVar("Found")

DECISION_THRESHOLD = 0.0  # of the score, a difference of logits: there softmax gives probability 0.5
INTERVAL_COLUMNS = ["eer_low_percent", "eer_high_percent", "interval_level", "interval_method", "interval_note"]
EER_COLUMNS = ["eer_percent", "threshold", "num_bonafide", "num_spoof", "eer_step_percent", *INTERVAL_COLUMNS]
EER_COLUMNS += ["num_speakers", "eer_low_iid_percent", "eer_high_iid_percent"]
CONFUSION_COLUMNS = ["true_bonafide", "missed_bonafide", "true_spoof", "false_bonafide"]
METRIC_COLUMNS = ["min_dcf", "min_cllr", "roc_auc", "act_dcf", "cllr"]
SEED_COLUMNS = ["num_seeds", "eer_percent", "eer_std_percent", *INTERVAL_COLUMNS]


@dataclass(frozen=True)
class Rates:
    """What score files say; rows sorted by model, then condition."""

    models: pd.DataFrame  # MODEL_COLUMNS, condition, EER_COLUMNS, CONFUSION_COLUMNS, METRIC_COLUMNS
    seeds: pd.DataFrame  # MODEL_COLUMNS but the seed, condition, SEED_COLUMNS: the mean over seeds


def write_tables(score_root: Path, protocol_root: Path, models: list[str], conditions: list[str], output: Path) -> None:
    """`write_rates` of `evaluate` with its own settings."""
    write_rates(evaluate(score_root, protocol_root, TableSettings(models, conditions)), output)


def write_rates(rates: Rates, output: Path) -> None:
    """Write `eer.csv`, `confusion.csv` and `metrics.csv`, a row a model and condition, and `eer_seeds.csv`."""
    keys = [*MODEL_COLUMNS, "condition"]
    write_csv(output / "eer.csv", rates.models[keys + EER_COLUMNS])
    write_csv(output / "confusion.csv", rates.models[keys + CONFUSION_COLUMNS])
    write_csv(output / "metrics.csv", rates.models[keys + METRIC_COLUMNS])
    write_csv(output / "eer_seeds.csv", rates.seeds)


def evaluate(score_root: Path, protocol_root: Path, settings: TableSettings, workers: int = 1) -> Rates:
    """Rates of every model under every condition; `workers` processes take a condition each.

    `protocol_root` holds `{condition}.tsv`, `score_root` holds `{model}/{condition}.tsv`. Raises ScoreError as
    `read_judged` and `read_joined`.
    """
    found = over_conditions(partial(_condition, score_root, protocol_root, settings), settings.conditions, workers)
    rows, means = ([row for part in parts for row in part] for parts in zip(*found, strict=True))
    keys = [*MODEL_COLUMNS, "condition"]
    columns = [*keys, *EER_COLUMNS, *CONFUSION_COLUMNS, *METRIC_COLUMNS]
    group_keys = [key for key in keys if key != "seed"]
    return Rates(
        pd.DataFrame(rows, columns=columns).sort_values(keys, ignore_index=True),
        pd.DataFrame(means, columns=[*group_keys, *SEED_COLUMNS]).sort_values(group_keys, ignore_index=True),
    )


def over_conditions(work: Callable[[str], Found], conditions: list[str], workers: int) -> list[Found]:
    """What `work` finds under each condition, in their order."""
    if workers < 2:
        return [work(condition) for condition in conditions]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, conditions))


def _condition(score_root: Path, protocol_root: Path, settings: TableSettings, condition: str) -> tuple[Rows, Rows]:
    """Rows of all models and of their means over seeds."""
    judged = read_judged(protocol_root / f"{condition}.tsv")
    rows: Rows = []
    means: Rows = []
    for group in groups(settings.models):
        scores = [read_joined(score_root / model.name / f"{condition}.tsv", judged.protocol) for model in group]
        rng = generator(settings.seed, group[0].group, condition)
        found = seed_intervals(judged, scores, settings.bootstrap, rng)
        independent = generator(settings.seed, group[0].group, condition, "trial")
        rows += _rows(judged, group, scores, found, trial_intervals(judged, scores, settings.bootstrap, independent))
        means.append(_mean(group[0], condition, found))
    return rows, means


def groups(models: list[str]) -> list[list[Model]]:
    """Models that differ by their seed alone, in the order of their seeds."""
    found: dict[str, list[Model]] = {}
    for model in map(Model.parse, models):
        found.setdefault(model.group, []).append(model)
    return [sorted(group, key=lambda model: model.seed) for group in found.values()]


def _rows(
    judged: Judged, group: list[Model], scores: list[np.ndarray], found: SeedIntervals, iid: list[Interval]
) -> Iterator[dict[str, object]]:
    for model, one, interval, as_if in zip(group, scores, found.seeds, iid, strict=True):
        bonafide, spoof = one[judged.is_bonafide], one[~judged.is_bonafide]
        place = {**vars(model), "condition": judged.condition}
        error_rate = _error_rate(bonafide, spoof, f"{model.name}, {judged.condition}")
        bounds = {
            **_bounds(interval),
            "num_speakers": judged.num_speakers,
            "eer_low_iid_percent": 100 * as_if.low,  # as if trials were independent
            "eer_high_iid_percent": 100 * as_if.high,
        }
        yield {**place, **error_rate, **bounds, **_confusion(bonafide, spoof), **_costs(bonafide, spoof)}


def _error_rate(bonafide: np.ndarray, spoof: np.ndarray, where: str) -> dict[str, object]:
    result = metrics.eer(bonafide, spoof)
    if result.eer > 0.5:
        # An inverted detector is a finding; turning its scores round would hide it.
        logger.warning(
            "%s: EER is %.2f %%, above 50 %%: spoofs look more bona fide; kept as is", where, 100 * result.eer
        )
    return {
        "eer_percent": 100 * result.eer,
        "threshold": result.threshold,
        "num_bonafide": len(bonafide),
        "num_spoof": len(spoof),
        "eer_step_percent": 100 / min(len(bonafide), len(spoof)),  # one error in the smaller class
    }


def _bounds(interval: Interval) -> dict[str, object]:
    return {
        "eer_low_percent": 100 * interval.low,
        "eer_high_percent": 100 * interval.high,
        "interval_level": interval.level,
        "interval_method": interval.method,
        "interval_note": interval.note,
    }


def _confusion(bonafide: np.ndarray, spoof: np.ndarray) -> dict[str, object]:
    counts = metrics.confusion(bonafide, spoof, DECISION_THRESHOLD)
    return {
        "true_bonafide": counts.bonafide_accepted,
        "missed_bonafide": counts.bonafide_rejected,
        "true_spoof": counts.spoof_rejected,
        "false_bonafide": counts.spoof_accepted,
    }


def _costs(bonafide: np.ndarray, spoof: np.ndarray) -> dict[str, object]:
    values = metrics.measures(bonafide, spoof)
    return {name: getattr(values, name) for name in METRIC_COLUMNS}


def _mean(model: Model, condition: str, found: SeedIntervals) -> dict[str, object]:
    spread = over_seeds([interval.estimate for interval in found.seeds])
    return {
        **{name: value for name, value in vars(model).items() if name != "seed"},
        "condition": condition,
        "num_seeds": spread.seeds,
        "eer_percent": 100 * spread.mean,
        "eer_std_percent": np.nan if spread.std is None else 100 * spread.std,
        **_bounds(found.mean),
    }


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV with six decimals, atomically; what is not known is an empty cell."""
    with files.atomic(path) as part:
        table.to_csv(part, index=False, float_format="%.6f", lineterminator="\n")
