"""Source tracing: how well each task tells its classes apart, and seen sources from unseen ones."""

from dataclasses import dataclass, field

import pandas as pd

from codecfake.base import files
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.tables.traced_trials import MEAN_OF

MODEL = ["task", "detector", "seed"]
TEXT = dict.fromkeys(["task", "detector", "source", "true_class", "predicted_class", "metric"], str)
METRICS = {  # of `tracing_intervals.csv` -> column of `tracing.csv`, its factor, and decimals
    "accuracy": ("accuracy_percent", 100, 1),
    "macro_f1": ("macro_f1_percent", 100, 1),
    "auroc": ("auroc", 1, 3),
    "fpr_at_95_tpr": ("fpr_at_95_tpr_percent", 100, 1),
}
Cell = tuple[str, str]  # a value, its interval
Bounds = dict[tuple[object, ...], tuple[float, float]]  # task, detector, seed, metric -> its interval


@dataclass(frozen=True)
class ModelRow:
    name: str
    cells: list[Cell]  # in the order of `METRICS`


@dataclass(frozen=True)
class SourceRow:
    """The shares of a source's trials that are predicted as each class, in percent; means over models."""

    source: str
    true_class: str  # "unseen" for a source of no class
    shares: list[float | None]  # None: the class was left out


@dataclass(frozen=True)
class Task:
    name: str
    classes: list[str]
    models: list[ModelRow]
    sources: list[SourceRow]
    parts: list[ModelRow] = field(default_factory=list)  # of the tasks that leave out a class, and their means
    part_sources: list[SourceRow] = field(default_factory=list)  # the sources that these leave out


@dataclass(frozen=True)
class _Tables:
    metrics: pd.DataFrame
    intervals: Bounds
    confusion: pd.DataFrame


def tasks(inputs: ReportInputs) -> list[Task]:
    """The tasks in their order. Raises ReportError if a table was not written."""
    if not inputs.tracing:
        return []
    names = ("tracing", "tracing_intervals", "tracing_confusion")
    metrics, intervals, confusion = (read_table(inputs, name, TEXT) for name in names)
    tables = _Tables(metrics, _bounds(intervals), confusion)
    return [_task(name, tables, inputs.traced_parts.get(name, [])) for name in inputs.tracing]


def read_table(inputs: ReportInputs, name: str, types: dict[str, type[str]]) -> pd.DataFrame:
    """A table of source tracing. Raises ReportError if it was not written."""
    path = inputs.results / f"tables/{name}.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    return files.read_csv(path, dtype=types)


def _bounds(intervals: pd.DataFrame) -> Bounds:
    return {
        (row["task"], row["detector"], row["seed"], row["metric"]): (row["low"], row["high"])
        for _, row in intervals.iterrows()
    }


def _task(name: str, tables: _Tables, parts: list[str]) -> Task:
    confusion = tables.confusion
    own = confusion[confusion["task"] == name]
    classes = own["predicted_class"].unique().tolist()
    names = set(own["source"])
    left_out = [
        _source(rows, classes)
        for part in parts
        for source, rows in confusion[confusion["task"] == part].groupby("source", sort=False)
        if not rows["is_seen"].iloc[0] and source in names and _is_seen(own, str(source))
    ]
    return Task(
        name,
        classes,
        _rows(tables, [name]),
        [_source(rows, classes) for _, rows in own.groupby("source", sort=False)],
        _rows(tables, [*parts, MEAN_OF.format(name)]) if parts else [],
        left_out,
    )


def _is_seen(confusion: pd.DataFrame, source: str) -> bool:
    return bool(confusion.loc[confusion["source"] == source, "is_seen"].iloc[0])


def _rows(tables: _Tables, names: list[str]) -> list[ModelRow]:
    """The models of tasks; a task with another name than the first one's is named."""
    table = tables.metrics
    rows = [row for name in names for _, row in table[table["task"] == name].iterrows()]
    return [
        ModelRow(_label(row, len(names) > 1), [_cell(row, metric, tables.intervals) for metric in METRICS])
        for row in rows
    ]


def _label(row: pd.Series, with_task: bool) -> str:
    model = f"{row['detector']}, seed {row['seed']}"
    return f"{row['task']}: {model}" if with_task else model


def _cell(row: pd.Series, metric: str, intervals: Bounds) -> Cell:
    column, factor, decimals = METRICS[metric]
    if pd.isna(row[column]):
        return "–", ""
    low, high = intervals.get((*(row[name] for name in MODEL), metric), (float("nan"),) * 2)
    bounds = "" if pd.isna(low) else f"{factor * low:.{decimals}f}–{factor * high:.{decimals}f}"
    return f"{row[column]:.{decimals}f}", bounds


def _source(rows: pd.DataFrame, classes: list[str]) -> SourceRow:
    counts = rows.groupby("predicted_class")["num_trials"].sum()
    first = rows.iloc[0]
    label = first["true_class"] if first["is_seen"] else "unseen"
    shares = [100 * counts[name] / counts.sum() if name in counts else None for name in classes]
    return SourceRow(first["source"], label, shares)
