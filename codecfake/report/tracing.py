"""Source tracing: how well each task tells its classes apart, and seen sources from unseen ones."""

from dataclasses import dataclass

import pandas as pd

from codecfake.base import files
from codecfake.report.inputs import ReportError, ReportInputs

PLACE = ["detector", "seed"]
TEXT = dict.fromkeys(["task", "detector", "source", "true_class", "predicted_class"], str)


@dataclass(frozen=True)
class ModelRow:
    model: str
    accuracy: str  # in percent, as macro F1
    macro_f1: str
    auroc: str
    false_positive_rate: str  # in percent, at a true positive rate of 95 %


@dataclass(frozen=True)
class SourceRow:
    """The shares of a source's trials that are predicted as each class, in percent; means over models."""

    source: str
    true_class: str  # "unseen" for a source of no class
    shares: list[float]


@dataclass(frozen=True)
class Task:
    name: str
    classes: list[str]
    models: list[ModelRow]
    sources: list[SourceRow]


def tasks(inputs: ReportInputs) -> list[Task]:
    """The tasks in their order. Raises ReportError if a table was not written."""
    if not inputs.tracing:
        return []
    table, confusion = (_read(inputs, name) for name in ("tracing", "tracing_confusion"))
    return [_task(name, table[table["task"] == name], confusion[confusion["task"] == name]) for name in inputs.tracing]


def _task(name: str, table: pd.DataFrame, confusion: pd.DataFrame) -> Task:
    classes = confusion["predicted_class"].unique().tolist()
    models = [
        ModelRow(
            f"{row['detector']}, seed {row['seed']}",
            f"{row['accuracy_percent']:.1f}",
            f"{row['macro_f1_percent']:.1f}",
            "–" if pd.isna(row["auroc"]) else f"{row['auroc']:.3f}",
            "–" if pd.isna(row["fpr_at_95_tpr_percent"]) else f"{row['fpr_at_95_tpr_percent']:.1f}",
        )
        for _, row in table.iterrows()
    ]
    return Task(name, classes, models, [_source(rows, classes) for _, rows in confusion.groupby("source", sort=False)])


def _source(rows: pd.DataFrame, classes: list[str]) -> SourceRow:
    counts = rows.groupby("predicted_class")["num_trials"].sum()
    first = rows.iloc[0]
    label = first["true_class"] if first["is_seen"] else "unseen"
    return SourceRow(first["source"], label, [100 * counts[name] / counts.sum() for name in classes])


def _read(inputs: ReportInputs, name: str) -> pd.DataFrame:
    path = inputs.results / f"tables/{name}.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    return files.read_csv(path, dtype=TEXT)
