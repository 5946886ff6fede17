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

from codecfake.base import files, processes
from codecfake.statistics import metrics
from codecfake.statistics.intervals import Interval
from codecfake.statistics.significance import over_seeds
from codecfake.tables.eer_intervals import SeedIntervals, generator, seed_intervals, trial_intervals
from codecfake.tables.settings import TableSettings
from codecfake.tables.trials import MODEL_COLUMNS, ConditionTrials, Model, read_joined, read_trials

logger = logging.getLogger(__name__)

Rows = list[dict[str, object]]
Result = TypeVar("Result")

DECISION_THRESHOLD = 0.0  # of the score, a difference of logits: at 0, softmax gives probability 0.5
INTERVAL_COLUMNS = ["eer_low_percent", "eer_high_percent", "interval_level", "interval_method", "interval_note"]
EER_COLUMNS = ["eer_percent", "threshold", "num_bonafide", "num_spoof", "eer_step_percent", *INTERVAL_COLUMNS]
EER_COLUMNS += ["num_speakers", "eer_low_iid_percent", "eer_high_iid_percent"]
CONFUSION_COLUMNS = ["true_bonafide", "missed_bonafide", "true_spoof", "false_bonafide"]
METRIC_COLUMNS = ["min_dcf", "min_cllr", "roc_auc", "act_dcf", "cllr"]
SEED_COLUMNS = ["num_seeds", "eer_percent", "eer_std_percent", *INTERVAL_COLUMNS]


@dataclass(frozen=True)
class ErrorRates:
    """Error rates from score files; rows are sorted by model, then by condition."""

    models: pd.DataFrame  # MODEL_COLUMNS, condition, EER_COLUMNS, CONFUSION_COLUMNS, METRIC_COLUMNS
    seeds: pd.DataFrame  # MODEL_COLUMNS without the seed, condition, SEED_COLUMNS: the mean over seeds


def write_tables(score_root: Path, protocol_root: Path, models: list[str], conditions: list[str], output: Path) -> None:
    """Evaluate models under conditions with default settings, and write the tables of `write_error_rates`."""
    write_error_rates(evaluate(score_root, protocol_root, TableSettings(models, conditions)), output)


def write_error_rates(error_rates: ErrorRates, output: Path) -> None:
    """Write `eer.csv`, `confusion.csv` and `metrics.csv`, a row per model and condition, and `eer_seeds.csv`."""
    keys = [*MODEL_COLUMNS, "condition"]
    write_csv(output / "eer.csv", error_rates.models[keys + EER_COLUMNS])
    write_csv(output / "confusion.csv", error_rates.models[keys + CONFUSION_COLUMNS])
    write_csv(output / "metrics.csv", error_rates.models[keys + METRIC_COLUMNS])
    write_csv(output / "eer_seeds.csv", error_rates.seeds)


def evaluate(score_root: Path, protocol_root: Path, settings: TableSettings, workers: int = 1) -> ErrorRates:
    """Error rates of every model under every condition; `workers` processes evaluate one condition each.

    `protocol_root` holds `{condition}.tsv`, `score_root` holds `{model}/{condition}.tsv`. Raises ScoreError as
    `read_trials` and `read_joined`.
    """
    results = over_conditions(partial(_condition, score_root, protocol_root, settings), settings.conditions, workers)
    rows, means = ([row for part in parts for row in part] for parts in zip(*results, strict=True))
    keys = [*MODEL_COLUMNS, "condition"]
    columns = [*keys, *EER_COLUMNS, *CONFUSION_COLUMNS, *METRIC_COLUMNS]
    group_keys = [key for key in keys if key != "seed"]
    return ErrorRates(
        pd.DataFrame(rows, columns=columns).sort_values(keys, ignore_index=True),
        pd.DataFrame(means, columns=[*group_keys, *SEED_COLUMNS]).sort_values(group_keys, ignore_index=True),
    )


def over_conditions(work: Callable[[str], Result], conditions: list[str], workers: int) -> list[Result]:
    """The results of `work` for each condition, in the order of `conditions`."""
    if workers < 2:
        return [work(condition) for condition in conditions]
    processes.require_shared_memory()
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, conditions))


def _condition(score_root: Path, protocol_root: Path, settings: TableSettings, condition: str) -> tuple[Rows, Rows]:
    """The rows of all models, and of their means over seeds."""
    trials = read_trials(protocol_root / f"{condition}.tsv", settings.speakers_of.get(condition))
    rows: Rows = []
    means: Rows = []
    for group in groups(settings.models):
        scores = [read_joined(score_root / model.name / f"{condition}.tsv", trials.keys) for model in group]
        rng = generator(settings.seed, group[0].group, condition)
        intervals = seed_intervals(trials, scores, settings.bootstrap, rng)
        independent = generator(settings.seed, group[0].group, condition, "trial")
        rows += _rows(
            trials, group, scores, intervals, trial_intervals(trials, scores, settings.bootstrap, independent)
        )
        means.append(_mean(group[0], condition, intervals))
    return rows, means


def groups(models: list[str]) -> list[list[Model]]:
    """Groups of models that differ only by their seed, in the order of their seeds."""
    by_name: dict[str, list[Model]] = {}
    for model in map(Model.parse, models):
        by_name.setdefault(model.group, []).append(model)
    return [sorted(group, key=lambda model: model.seed) for group in by_name.values()]


def _rows(
    trials: ConditionTrials, group: list[Model], scores: list[np.ndarray], intervals: SeedIntervals, iid: list[Interval]
) -> Iterator[dict[str, object]]:
    for model, one, interval, as_if in zip(group, scores, intervals.seeds, iid, strict=True):
        bonafide, spoof = one[trials.is_bonafide], one[~trials.is_bonafide]
        place = {**vars(model), "condition": trials.condition}
        error_rate = _error_rate(bonafide, spoof, f"{model.name}, {trials.condition}")
        bounds = {
            **_bounds(interval),
            "num_speakers": trials.num_speakers,
            "eer_low_iid_percent": 100 * as_if.low,  # as if trials were independent
            "eer_high_iid_percent": 100 * as_if.high,
        }
        yield {**place, **error_rate, **bounds, **_confusion(bonafide, spoof), **_costs(bonafide, spoof)}


def _error_rate(bonafide: np.ndarray, spoof: np.ndarray, where: str) -> dict[str, object]:
    result = metrics.eer(bonafide, spoof)
    if result.eer > 0.5:
        # An inverted detector is a result; negating its scores would hide it.
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


def _mean(model: Model, condition: str, intervals: SeedIntervals) -> dict[str, object]:
    place = {name: value for name, value in vars(model).items() if name != "seed"}
    return {**place, "condition": condition, **mean_row(intervals)}


def mean_row(intervals: SeedIntervals) -> dict[str, object]:
    """`SEED_COLUMNS` of a row: the mean over seeds with its interval."""
    spread = over_seeds([interval.estimate for interval in intervals.seeds])
    return {
        "num_seeds": spread.seeds,
        "eer_percent": 100 * spread.mean,
        "eer_std_percent": np.nan if spread.std is None else 100 * spread.std,
        **_bounds(intervals.mean),
    }


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV with six decimals, and seal it; unknown values are empty cells."""
    with files.sealed(path) as part:
        table.to_csv(part, index=False, float_format="%.6f", lineterminator="\n")
