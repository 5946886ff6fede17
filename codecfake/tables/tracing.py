"""Tables of source tracing: how well classes are told apart, and seen sources from unseen ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.protocols import tracing as protocols
from codecfake.statistics import tracing
from codecfake.tables.error_rates import write_csv
from codecfake.tables.tracing_settings import TracedTask, TracingTableSettings
from codecfake.tables.trials import ScoreError

MODEL_COLUMNS = ["task", "detector", "seed"]
COLUMNS = [
    *MODEL_COLUMNS, "num_classes", "num_seen", "accuracy_percent", "macro_f1_percent", "num_unseen", "auroc",
    "fpr_at_95_tpr_percent",
]  # fmt: skip
CONFUSION_COLUMNS = [*MODEL_COLUMNS, "source", "is_seen", "true_class", "predicted_class", "num_trials"]


def write_tracing(score_root: Path, settings: TracingTableSettings, output: Path) -> None:
    """Write `tracing.csv` and `tracing_confusion.csv` from `{task}/{detector}/seed{seed}.tsv` under `score_root`.

    `tracing.csv` has a row for each model; without unseen sources, its last two columns are empty.
    `tracing_confusion.csv` counts the predictions of each source, also of unseen ones, which have no true class.
    Raises ScoreError if a score file is not one of the task.
    """
    rows, confusions = [], []
    for name, task in settings.tasks.items():
        for model in task.models:
            detector, _, seed = model.rpartition("/seed")
            place = {"task": name, "detector": detector, "seed": int(seed)}
            table = _read(score_root / name / f"{model}.tsv", task)
            logits = table[list(task.classes)].to_numpy(np.float64)
            rows.append({**place, **_metrics(table, logits, task)})
            confusions += [{**place, **row} for row in _confusions(table, logits, task)]
    write_csv(output / "tracing.csv", pd.DataFrame(rows, columns=COLUMNS))
    write_csv(output / "tracing_confusion.csv", pd.DataFrame(confusions, columns=CONFUSION_COLUMNS))


def _read(path: Path, task: TracedTask) -> pd.DataFrame:
    table = files.read_tsv(path)
    again = f"delete {path} and run again"
    if list(table.columns) != ["trial_id", "source", *task.classes]:
        raise ScoreError(f"{path}: columns are not trial_id, source and {', '.join(task.classes)}; {again}")
    expected = {*(source for sources in task.classes.values() for source in sources), *task.unseen}
    for source in sorted(expected ^ set(table["source"])):
        raise ScoreError(f"{path}: {source} is only in the scores or only in the experiment; {again}")
    return table


def _metrics(table: pd.DataFrame, logits: np.ndarray, task: TracedTask) -> dict[str, object]:
    classes = protocols.class_numbers(table["source"], task.classes).to_numpy()
    is_seen, confidences = classes >= 0, tracing.confidences(logits)
    counts = tracing.confusion(classes[is_seen], logits[is_seen].argmax(axis=1), len(task.classes))
    of_classes, unseen = confidences[is_seen], confidences[~is_seen]
    return {
        "num_classes": len(task.classes),
        "num_seen": len(of_classes),
        "accuracy_percent": 100 * tracing.accuracy(counts),
        "macro_f1_percent": 100 * tracing.macro_f1(counts),
        "num_unseen": len(unseen),
        "auroc": tracing.auroc(of_classes, unseen) if len(unseen) else np.nan,
        "fpr_at_95_tpr_percent": 100 * tracing.false_positive_rate(of_classes, unseen) if len(unseen) else np.nan,
    }


def _confusions(table: pd.DataFrame, logits: np.ndarray, task: TracedTask) -> Iterator[dict[str, object]]:
    """The predictions of each source, those of seen ones first."""
    names = list(task.classes)
    class_of = {source: name for name, sources in task.classes.items() for source in sources}
    predictions = logits.argmax(axis=1)
    for source in [*class_of, *task.unseen]:
        counts = np.bincount(predictions[table["source"] == source], minlength=len(names))
        for predicted, count in zip(names, counts, strict=True):
            yield {
                "source": source,
                "is_seen": int(source in class_of),
                "true_class": class_of.get(source, ""),
                "predicted_class": predicted,
                "num_trials": int(count),
            }
