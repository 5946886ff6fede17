"""Partial fakes: error rates by segment and by utterance, and a timeline of one fake with its spans."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from codecfake.base import files
from codecfake.base.utterances import SPOOF
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.trials import RECORDING
from codecfake.report.analysis import percent_range
from codecfake.report.answer import UNRELIABLE
from codecfake.report.figures import DASHES, INK, NUM_SERIES, LineStyle, drawing
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.tables.partial import MEASURES, PARTIAL, SEGMENT, UTTERANCE
from codecfake.tables.segments import read_spans
from codecfake.tables.trials import MODEL_COLUMNS

TEXT = dict.fromkeys([*MODEL_COLUMNS, "condition", "source", "measure", "note"], str)
UNRELIABLE_MARK = "†"


@dataclass(frozen=True)
class PartialModel:
    """The EERs (%) of one model with their intervals, in the order of MEASURES."""

    name: str
    cells: list[tuple[str, str]]


@dataclass(frozen=True)
class PartialPanel:
    condition: str
    source: str
    models: list[PartialModel]
    trial: str  # of the timeline
    figure: Markup


@dataclass(frozen=True)
class PartialSection:
    headline: str  # the range of the EERs over models and conditions; "" with controls alone
    styles: dict[str, LineStyle]  # model -> its line
    measures: tuple[str, ...]
    panels: list[PartialPanel]


def partial_section(inputs: ReportInputs) -> PartialSection | None:
    """The section; None without partial fakes. Raises ReportError if their table was not written."""
    if not inputs.partial:
        return None
    path = inputs.results / f"tables/{PARTIAL}.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    missing = {f"eer_{name}percent": "" for name in ("", "low_", "high_")}
    table = files.read_csv(path, dtype=TEXT, keep_default_na=False, na_values=missing)
    table["model"] = table["detector"] + "/" + table["training_set"] + "/" + table["strategy"] + "/seed" + table["seed"]
    styles = {model: _style(number) for number, model in enumerate(inputs.models)}
    scores = {model: files.read_tsv(inputs.results / f"segments/{model}.tsv") for model in inputs.models}
    panels = [
        _panel(inputs, condition, source, table[table["condition"] == condition], styles, scores)
        for condition, source in inputs.partial.items()
    ]
    fakes = table[~table["source"].isin(inputs.controls)]
    return PartialSection(_headline(fakes), styles, MEASURES, panels)


def _headline(table: pd.DataFrame) -> str:
    """Ranges, because no model is chosen by what it does in evaluation."""
    if table.empty:
        return ""
    eers = table.groupby("measure")["eer_percent"]
    utterance, segment = (percent_range(eers.get_group(name)) for name in (UTTERANCE, SEGMENT))
    return f"Partial fakes: by the lowest segment of an utterance, EERs are {utterance}; by single segments, {segment}."


def _style(number: int) -> LineStyle:
    """A color for each model, since all are on one figure; then the colors again with other dashes."""
    return LineStyle(number % NUM_SERIES, number // NUM_SERIES % len(DASHES))


def _panel(
    inputs: ReportInputs,
    condition: str,
    source: str,
    table: pd.DataFrame,
    styles: dict[str, LineStyle],
    scores: dict[str, pd.DataFrame],
) -> PartialPanel:
    trials = files.read_tsv(inputs.results / f"protocols/eval/{condition}.tsv")
    first = trials[trials["key"] == SPOOF].iloc[0]
    figure = _timeline(inputs, condition, first, styles, scores)
    models = [PartialModel(model, _cells(table[table["model"] == model])) for model in styles]
    return PartialPanel(condition, source, models, first["trial_id"], figure)


def _cells(rows: pd.DataFrame) -> list[tuple[str, str]]:
    by_measure = rows.set_index("measure")
    return [_cell(by_measure.loc[measure]) for measure in MEASURES]


def _cell(row: pd.Series) -> tuple[str, str]:
    low, high = (row[f"eer_{end}_percent"] for end in ("low", "high"))
    mark = UNRELIABLE_MARK if any(words in row["note"] for words in UNRELIABLE) else ""
    interval = "" if pd.isna(low) or pd.isna(high) else f"{low:.1f}–{high:.1f}{mark}"
    return f"{row['eer_percent']:.1f}", interval


def _timeline(
    inputs: ReportInputs,
    condition: str,
    trial: pd.Series,
    styles: dict[str, LineStyle],
    scores: dict[str, pd.DataFrame],
) -> Markup:
    """The scores of the segments of one fake at their middles, and its spans."""
    spans = read_spans(inputs.results / "spans", [trial["corpus"]], trial["source"])
    with drawing(f"partial {condition}", f"Segments of {trial['trial_id']}", height=2.3) as draft:
        axes = draft.axes()[0]
        for start, end in spans[trial["corpus"], trial["utterance_id"]]:
            axes.axvspan(start, end, color=INK, alpha=0.12, linewidth=0)
        for model, style in styles.items():
            middles, values = _relative(scores[model], trial)
            axes.plot(middles, values, color=style.color, linestyle=style.dash, marker="o", markersize=3)
        axes.set(xlabel="time (s)", ylabel="score (SD)", xlim=(0, None))
    return draft.svg


def _relative(scores: pd.DataFrame, trial: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The middles of a fake's segments, and their scores relative to all segments of recordings of its corpus."""
    recorded = (scores["corpus"] == trial["corpus"]) & (scores["source"] == RECORDINGS)
    reference = scores.loc[recorded, "score"].astype(float)
    own = scores[(scores[RECORDING] == trial[RECORDING]).all(axis=1)]
    middles = (own["start"].astype(float) + own["end"].astype(float)) / 2
    deviation = reference.std(ddof=0) or 1.0  # a detector whose scores are all equal has a flat line
    return middles, (own["score"].astype(float) - reference.mean()) / deviation
