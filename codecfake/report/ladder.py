"""Laundering ladders: curves of the EER over the steps of a degradation, and what trivial features still reveal."""

from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from codecfake.base import files
from codecfake.base.degraded_names import degradation_of, label
from codecfake.degradation.settings import about
from codecfake.report.figures import LineStyle, drawing, line_styles
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables.ladder import LADDER
from codecfake.tables.settings import GROUP_COLUMNS

TEXT = dict.fromkeys([*GROUP_COLUMNS, "condition", "kind", "value"], str)
PROBED = {"duration": ("duration",), "silence": ("lead_silence", "trail_silence")}  # column -> features of the audit
PLAIN = "plain"


@dataclass(frozen=True)
class Step:
    """One step: the EER (%) of each model with its interval, and the largest AUC of each probe over the sources."""

    label: str
    cells: list[tuple[str, str]]  # EER, interval
    probes: list[str]


@dataclass(frozen=True)
class LadderPanel:
    condition: str
    kind: str
    meaning: str
    unit: str
    figure: Markup
    steps: list[Step]


@dataclass(frozen=True)
class LadderSection:
    styles: dict[str, LineStyle]  # model without seed -> its line
    is_random: dict[str, bool]
    probes: list[str]
    panels: list[LadderPanel]


def ladder_section(inputs: ReportInputs, trained_models: list[TrainedModel]) -> LadderSection | None:
    """The section; None without ladders. Raises ReportError if their table was not written."""
    if not inputs.ladders:
        return None
    path = inputs.results / f"tables/{LADDER}.csv"
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again")
    is_random = {one.model.group: one.has_random_front_end for one in trained_models}
    missing = {f"eer_{name}percent": "" for name in ("", "low_", "high_")}
    table = files.read_csv(path, dtype=TEXT, keep_default_na=False, na_values=missing)
    table = table.assign(model=table[GROUP_COLUMNS].agg("/".join, axis=1))
    table = table[table["model"].isin(list(is_random))]
    styles, probes = line_styles(list(dict.fromkeys(table["model"]))), _probes(inputs)
    panels = [
        _panel(str(condition), str(kind), rows, styles, probes)
        for (condition, kind), rows in table.groupby(["condition", "kind"], sort=False)
    ]
    return LadderSection(styles, is_random, list(PROBED), panels)


def _panel(
    condition: str, kind: str, rows: pd.DataFrame, styles: dict[str, LineStyle], probes: pd.DataFrame
) -> LadderPanel:
    steps, facts = rows.drop_duplicates("step"), about(kind)
    values = dict(zip(steps["step"], steps["value"], strict=True))
    with drawing(f"ladder {condition} {kind}", f"EER of {condition} by the step of {kind}", height=2.3) as draft:
        axes = draft.axes()[0]
        for name, style in styles.items():
            own = rows[rows["model"] == name].sort_values("step")
            low, high = (own[f"eer_{end}_percent"] for end in ("low", "high"))
            axes.fill_between(own["step"], low, high, color=style.color, alpha=0.15, linewidth=0)
            axes.plot(
                own["step"], own["eer_percent"], color=style.color, linestyle=style.dash, marker="o", markersize=3
            )
        axes.set_xticks(list(values), [value or PLAIN for value in values.values()])
        axes.set(xlabel=f"{kind} ({facts.unit})", ylabel="EER (%)", ylim=(0, None))
    table = [_step(kind, value, rows[rows["step"] == step], list(styles), probes) for step, value in values.items()]
    return LadderPanel(condition, kind, facts.meaning, facts.unit, draft.svg, table)


def _step(kind: str, value: str, rows: pd.DataFrame, models: list[str], probes: pd.DataFrame) -> Step:
    by_model = rows.set_index("model")
    cells = [_cell(by_model.loc[name]) for name in models]
    own = probes[probes["degradation"] == (label(kind, value) if value else "")]
    return Step(value or PLAIN, cells, [_largest(own, features) for features in PROBED.values()])


def _cell(row: pd.Series) -> tuple[str, str]:
    low, high = (row[f"eer_{end}_percent"] for end in ("low", "high"))
    interval = "" if pd.isna(low) or pd.isna(high) else f"{low:.1f}–{high:.1f}"
    return f"{row['eer_percent']:.1f}", interval


def _largest(probes: pd.DataFrame, features: tuple[str, ...]) -> str:
    auc = probes.loc[probes["feature"].isin(features), "auc"].max()
    return "–" if pd.isna(auc) else f"{auc:.2f}"


def _probes(inputs: ReportInputs) -> pd.DataFrame:
    """The probes of the audit of all sources, with their degradation."""
    columns = ["source", "feature", "auc"]
    if not inputs.audit:
        return pd.DataFrame(columns=[*columns, "degradation"])
    missing = dict.fromkeys(("auc", "low", "high"), "")
    table = files.read_csv(inputs.results / "audit/shortcuts.csv", keep_default_na=False, na_values=missing)[columns]
    return table.assign(degradation=[degradation_of(name) for name in table["source"]])
