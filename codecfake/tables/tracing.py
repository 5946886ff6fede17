"""Tables of source tracing: how well classes are told apart, and seen sources from unseen ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.protocols import tracing as protocols
from codecfake.statistics import tracing
from codecfake.statistics.cluster_bootstrap import TrialMetric, bootstrap
from codecfake.statistics.intervals import Interval
from codecfake.tables.eer_intervals import generator
from codecfake.tables.error_rates import write_csv
from codecfake.tables.traced_trials import MEAN_OF, MODEL_COLUMNS, TracedModel, models_of
from codecfake.tables.tracing_regression import write_regressions
from codecfake.tables.tracing_settings import TracingTableSettings

MEANS = ["accuracy_percent", "macro_f1_percent", "auroc", "fpr_at_95_tpr_percent"]
COLUMNS = [
    *MODEL_COLUMNS, "num_classes", "num_seen", "accuracy_percent", "macro_f1_percent", "num_unseen", "auroc",
    "fpr_at_95_tpr_percent",
]  # fmt: skip
CONFUSION_COLUMNS = [*MODEL_COLUMNS, "source", "is_seen", "true_class", "predicted_class", "num_trials"]
INTERVAL_COLUMNS = [
    *MODEL_COLUMNS, "metric", "value", "low", "high", "interval_level", "interval_method", "interval_note",
    "num_speakers",
]  # fmt: skip


def write_tracing(score_root: Path, protocol_root: Path, settings: TracingTableSettings, output: Path) -> None:
    """Write the tables of all tasks from `{task}/{detector}/seed{seed}.tsv` under `score_root`.

    `tracing.csv` has a row for each model; without unseen sources, its last two columns are empty. If a task leaves
    out its classes in turn, further rows have the sums of trials and the means of metrics over these tasks.
    `tracing_confusion.csv` counts the predictions of each source, also of unseen ones, which have no true class.
    `tracing_intervals.csv` has the intervals of the metrics. Regressions have the tables of `write_regressions`.
    Raises ScoreError as `models_of`.
    """
    if tasks := settings.of_classes():
        rows, confusions, intervals = [], [], []
        for name, task in tasks.items():
            for model in models_of(score_root, protocol_root, name, task, settings.speakers_of):
                rows.append({**model.place, **_metrics(model)})
                confusions += [{**model.place, **row} for row in _confusions(model)]
                intervals += [{**model.place, **row} for row in _intervals(model, settings)]
        rows += _means(pd.DataFrame(rows, columns=COLUMNS), settings.left_out)
        write_csv(output / "tracing.csv", pd.DataFrame(rows, columns=COLUMNS))
        write_csv(output / "tracing_confusion.csv", pd.DataFrame(confusions, columns=CONFUSION_COLUMNS))
        write_csv(output / "tracing_intervals.csv", pd.DataFrame(intervals, columns=INTERVAL_COLUMNS))
    if settings.regressions():
        write_regressions(score_root, protocol_root, settings, output)


def _metrics(model: TracedModel) -> dict[str, object]:
    classes, logits = _classes(model), model.outputs
    is_seen, confidences = classes >= 0, tracing.confidences(logits)
    counts = tracing.confusion(classes[is_seen], logits[is_seen].argmax(axis=1), logits.shape[1])
    of_classes, unseen = confidences[is_seen], confidences[~is_seen]
    return {
        "num_classes": logits.shape[1],
        "num_seen": len(of_classes),
        "accuracy_percent": 100 * tracing.accuracy(counts),
        "macro_f1_percent": 100 * tracing.macro_f1(counts),
        "num_unseen": len(unseen),
        "auroc": tracing.auroc(of_classes, unseen) if len(unseen) else np.nan,
        "fpr_at_95_tpr_percent": 100 * tracing.false_positive_rate(of_classes, unseen) if len(unseen) else np.nan,
    }


def _classes(model: TracedModel) -> np.ndarray:
    return protocols.class_numbers(pd.Series(model.sources), model.task.classes).to_numpy()


def _intervals(model: TracedModel, settings: TracingTableSettings) -> Iterator[dict[str, object]]:
    """The interval of each metric, over speakers."""
    rng = generator(settings.seed, model.name)
    results = bootstrap(_trial_metrics(model), model.speakers, settings.bootstrap, rng)
    for name, interval in results.items():
        yield {"metric": name, **_interval_row(interval, len(np.unique(model.speakers)))}


def _interval_row(interval: Interval, num_speakers: int) -> dict[str, object]:
    """The last columns of `INTERVAL_COLUMNS`."""
    return {
        "value": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "interval_level": interval.level,
        "interval_method": interval.method,
        "interval_note": interval.note,
        "num_speakers": num_speakers,
    }


def _trial_metrics(model: TracedModel) -> dict[str, TrialMetric]:
    """The metrics as functions of trial numbers; shares, as metrics of detectors."""
    classes, size = _classes(model), model.outputs.shape[1]
    predictions, confidences = model.outputs.argmax(axis=1), tracing.confidences(model.outputs)

    def counts(trials: np.ndarray) -> np.ndarray:
        of_classes = trials[classes[trials] >= 0]
        return tracing.confusion(classes[of_classes], predictions[of_classes], size)

    def parts(trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, is_seen = confidences[trials], classes[trials] >= 0
        return values[is_seen], values[~is_seen]

    metrics = {
        "accuracy": TrialMetric(lambda trials: tracing.accuracy(counts(trials)), is_share=True),
        "macro_f1": TrialMetric(lambda trials: tracing.macro_f1(counts(trials)), is_share=True),
    }
    if (classes < 0).any():
        metrics["auroc"] = TrialMetric(lambda trials: _of_both(tracing.auroc, *parts(trials)), is_share=True)
        metrics["fpr_at_95_tpr"] = TrialMetric(
            lambda trials: _of_both(tracing.false_positive_rate, *parts(trials)), is_share=True
        )
    return metrics


def _of_both(metric: tracing.OpenSetMetric, of_classes: np.ndarray, unseen: np.ndarray) -> float:
    """The metric; NaN if a resample lacks seen or unseen trials."""
    return metric(of_classes, unseen) if len(of_classes) and len(unseen) else float("nan")


def _means(table: pd.DataFrame, left_out: dict[str, list[str]]) -> list[dict[str, object]]:
    """For each task that leaves out its classes in turn, a row for each detector and seed."""
    rows = []
    for name, tasks in left_out.items():
        for (detector, seed), part in table[table["task"].isin(tasks)].groupby(["detector", "seed"], sort=False):
            row = {"task": MEAN_OF.format(name), "detector": detector, "seed": seed}
            row |= {"num_classes": part["num_classes"].iloc[0]}
            row |= {column: part[column].sum() for column in ("num_seen", "num_unseen")}
            rows.append(row | {column: part[column].mean() for column in MEANS})
    return rows


def _confusions(model: TracedModel) -> Iterator[dict[str, object]]:
    """The predictions of each source, those of seen ones first."""
    names, task = list(model.task.classes), model.task
    class_of = {source: name for name, sources in task.classes.items() for source in sources}
    predictions = model.outputs.argmax(axis=1)
    for source in [*class_of, *task.unseen]:
        counts = np.bincount(predictions[model.sources == source], minlength=len(names))
        for predicted, count in zip(names, counts, strict=True):
            yield {
                "source": source,
                "is_seen": int(source in class_of),
                "true_class": class_of.get(source, ""),
                "predicted_class": predicted,
                "num_trials": int(count),
            }
