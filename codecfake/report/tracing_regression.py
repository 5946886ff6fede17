"""Regressions of source tracing: predicted quantizers or bit rates against true ones, with errors in factors of 2."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from codecfake.report.figures import drawing, series_color
from codecfake.report.inputs import ReportInputs
from codecfake.report.tracing import Cell, read_table
from codecfake.tables.traced_trials import MEAN_OF
from codecfake.tables.tracing_regression import BASELINES

TEXT = dict.fromkeys(["task", "detector", "quantity", "sources", "source", "interval_note"], str)
METRICS = ("mae", "rmse", "r2", "pearson", "spearman")
UNITS = {"quantizers": "quantizers", "bitrate_kbps": "bit rate (kbit/s)"}


@dataclass(frozen=True)
class RegressionRow:
    name: str
    sources: str  # seen or unseen
    cells: list[Cell]  # in the order of `METRICS`
    baselines: list[str]  # errors of predicting the mean of training


@dataclass(frozen=True)
class PredictionRow:
    source: str
    is_seen: bool
    true_value: str  # "–": no codec made it
    median: str
    spread: str  # from the 5th to the 95th percentile


@dataclass(frozen=True)
class RegressionTask:
    name: str
    unit: str
    figure: Markup
    rows: list[RegressionRow]
    parts: list[RegressionRow]  # of the tasks that leave out a source, and their means
    predictions: list[PredictionRow]


def regressions(inputs: ReportInputs) -> list[RegressionTask]:
    """The tasks in their order. Raises ReportError if a table was not written."""
    if not inputs.traced_numbers:
        return []
    table, predictions = (read_table(inputs, name, TEXT) for name in ("tracing_regression", "tracing_predictions"))
    return [
        _task(name, table, predictions[predictions["task"] == name], inputs.traced_parts.get(name, []))
        for name in inputs.traced_numbers
    ]


def _task(name: str, table: pd.DataFrame, predictions: pd.DataFrame, parts: list[str]) -> RegressionTask:
    first = predictions[["detector", "seed"]].iloc[0]
    own = predictions[(predictions[["detector", "seed"]] == first).all(axis=1)]
    unit = UNITS[own["quantity"].iloc[0]]
    further = [*parts, MEAN_OF.format(name)] if parts else []
    return RegressionTask(
        name,
        unit,
        _figure(name, unit, own),
        _rows(table, [name]),
        _rows(table, further),
        [_prediction(row) for _, row in own.iterrows()],
    )


def _rows(table: pd.DataFrame, names: list[str]) -> list[RegressionRow]:
    rows = [row for name in names for _, row in table[table["task"] == name].iterrows()]
    return [_row(row, f"{row['task']}: " if len(names) > 1 else "") for row in rows]


def _row(row: pd.Series, task: str) -> RegressionRow:
    name = f"{task}{row['detector']}, seed {row['seed']}"
    baselines = [_number(row[f"baseline_{metric}"]) for metric in BASELINES]
    return RegressionRow(name, row["sources"], [_cell(row, metric) for metric in METRICS], baselines)


def _cell(row: pd.Series, metric: str) -> Cell:
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return _number(row[metric]), "" if pd.isna(low) else f"{low:.2f} to {high:.2f}"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def _prediction(row: pd.Series) -> PredictionRow:
    true = "–" if pd.isna(row["true_log2"]) else f"{2 ** row['true_log2']:.3g}"
    median, low, high = (f"{2 ** row[f'{name}_log2']:.3g}" for name in ("median", "p5", "p95"))
    return PredictionRow(row["source"], bool(row["is_seen"]), true, median, f"{low} to {high}")


def _figure(name: str, unit: str, predictions: pd.DataFrame) -> Markup:
    """Medians and the middle 90 % of predictions over true values, both doubling from tick to tick."""
    with_values = predictions[predictions["true_log2"].notna()]
    with drawing(f"tracing {name}", f"Predicted over true {unit} of {name}", height=3.4) as draft:
        axes = draft.axes()[0]
        for series, (is_seen, label) in enumerate(((1, "seen"), (0, "unseen"))):
            own = with_values[with_values["is_seen"] == is_seen]
            below, above = own["median_log2"] - own["p5_log2"], own["p95_log2"] - own["median_log2"]
            color, marker = series_color(series), "o" if is_seen else "s"
            axes.errorbar(
                own["true_log2"], own["median_log2"], yerr=[below, above], fmt=marker, color=color, markersize=4,
                linewidth=1, label=label,
            )  # fmt: skip
            for _, row in own.iterrows():
                place = (row["true_log2"], row["median_log2"])
                axes.annotate(row["source"], place, xytext=(4, 3), textcoords="offset points")
        ends = [with_values["true_log2"].min(), with_values["true_log2"].max()]
        axes.plot(ends, ends, color=series_color(2), linestyle=":", linewidth=1)
        axes.xaxis.set_major_formatter(_power)
        axes.yaxis.set_major_formatter(_power)
        axes.set(xlabel=f"true {unit}", ylabel=f"predicted {unit}")
        axes.legend(frameon=False)
    return draft.svg


def _power(exponent: float, _: float) -> str:
    return f"{2**exponent:.3g}"
