"""Tables of regressions of source tracing: how close the predicted quantizers or bit rates are, and to which sources.

All values are logarithms to base 2, as `TracedQuantity` explains.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.statistics import regression
from codecfake.statistics.cluster_bootstrap import TrialMetric, bootstrap
from codecfake.statistics.intervals import Interval
from codecfake.tables.eer_intervals import generator
from codecfake.tables.error_rates import write_csv
from codecfake.tables.traced_trials import MEAN_OF, MODEL_COLUMNS, TracedModel, models_of
from codecfake.tables.tracing_settings import TracedTask, TracingTableSettings

TRAINED, UNSEEN = "seen", "unseen"
BASELINES = ("mae", "rmse")  # metrics that predicting the mean of training has
METRICS = [f"{metric}{end}" for metric in regression.METRICS for end in ("", "_low", "_high")]
COLUMNS = [
    *MODEL_COLUMNS, "quantity", "sources", "num_trials", "num_speakers", *METRICS,
    *(f"baseline_{metric}" for metric in BASELINES), "interval_level", "interval_note",
]  # fmt: skip
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
PREDICTION_COLUMNS = [
    *MODEL_COLUMNS, "quantity", "source", "is_seen", "true_log2", "num_trials", "mean_log2",
    *(f"{name}_log2" for name in QUANTILES),
]  # fmt: skip


def write_regressions(score_root: Path, protocol_root: Path, settings: TracingTableSettings, output: Path) -> None:
    """Write `tracing_regression.csv` and `tracing_predictions.csv`.

    The first has a row for each model and seen or unseen sources with a value, with the errors of a baseline that
    predicts the mean over the sources in training; tasks that leave out one source each are followed by their means.
    The second has the predictions of each source, also of those without a value, such as recordings and controls.
    """
    rows, predictions = [], []
    for name, task in settings.regressions().items():
        for model in models_of(score_root, protocol_root, name, task, settings.speakers_of):
            assert task.regression is not None
            place = {**model.place, "quantity": task.regression.quantity}
            rows += [{**place, **row} for row in _rows(model, task.regression.mean, settings)]
            predictions += [{**place, **row} for row in _predictions(model)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    means = pd.DataFrame(_means(table, settings.left_out), columns=COLUMNS)
    write_csv(output / "tracing_regression.csv", pd.concat([table, means]) if len(means) else table)
    write_csv(output / "tracing_predictions.csv", pd.DataFrame(predictions, columns=PREDICTION_COLUMNS))


def _logarithms(task: TracedTask) -> dict[str, float]:
    """Source -> the logarithm of its value, of those that have one."""
    assert task.regression is not None
    values = {**task.regression.values, **task.unseen_values}
    return {source: float(np.log2(value)) for source, value in values.items()}


def _rows(model: TracedModel, mean: float, settings: TracingTableSettings) -> Iterator[dict[str, object]]:
    """The metrics of the seen sources, and of the unseen ones if some have values."""
    logarithms = _logarithms(model.task)
    for part, sources in ((TRAINED, model.task.training_sources), (UNSEEN, list(model.task.unseen_values))):
        own = np.isin(model.sources, sources)
        if not own.any():
            continue
        true = np.array([logarithms[source] for source in model.sources[own]])
        metrics = {
            name: TrialMetric(partial(_of_trials, metric, true, model.outputs[own, 0]), is_share=False)
            for name, metric in regression.METRICS.items()
        }
        rng = generator(settings.seed, model.name, part)
        intervals = bootstrap(metrics, model.speakers[own], settings.bootstrap, rng)
        baselines = {f"baseline_{name}": regression.METRICS[name](true, np.full(len(true), mean)) for name in BASELINES}
        sizes = {"num_trials": len(true), "num_speakers": len(np.unique(model.speakers[own]))}
        yield {"sources": part, **sizes, **_of_intervals(intervals), **baselines}


def _of_trials(
    metric: regression.RegressionMetric, true: np.ndarray, predicted: np.ndarray, trials: np.ndarray
) -> float:
    return metric(true[trials], predicted[trials])


def _of_intervals(intervals: dict[str, Interval]) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, interval in intervals.items():
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    notes = [f"{name}: {one.note}" for name, one in intervals.items() if one.note and np.isfinite(one.estimate)]
    return {**row, "interval_level": next(iter(intervals.values())).level, "interval_note": "; ".join(notes)}


def _means(table: pd.DataFrame, left_out: dict[str, list[str]]) -> list[dict[str, object]]:
    """Metrics of the unseen sources, in the mean over the tasks that leave out one source each; without intervals."""
    rows = []
    columns = [*regression.METRICS, *(f"baseline_{metric}" for metric in BASELINES)]
    for name, tasks in left_out.items():
        own = table[table["task"].isin(tasks) & (table["sources"] == UNSEEN)]
        for (detector, seed, quantity), part in own.groupby(["detector", "seed", "quantity"], sort=False):
            row = {"task": MEAN_OF.format(name), "detector": detector, "seed": seed, "quantity": quantity}
            row |= {"sources": UNSEEN, "num_trials": part["num_trials"].sum()}
            rows.append(row | {column: part[column].mean() for column in columns})
    return rows


def _predictions(model: TracedModel) -> Iterator[dict[str, object]]:
    """The predictions of each source, those of seen ones first."""
    logarithms, trained = _logarithms(model.task), set(model.task.training_sources)
    for source in [*model.task.training_sources, *model.task.unseen]:
        values = model.outputs[model.sources == source, 0]
        quantiles = {f"{name}_log2": float(np.quantile(values, share)) for name, share in QUANTILES.items()}
        yield {
            "source": source,
            "is_seen": int(source in trained),
            "true_log2": logarithms.get(source, np.nan),
            "num_trials": len(values),
            "mean_log2": float(values.mean()),
            **quantiles,
        }
