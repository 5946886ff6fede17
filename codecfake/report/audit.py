"""The results of the audit: faults, what lists share, duplicates, and what trivial features reveal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from codecfake.audit.features import FEATURES, HANDLING
from codecfake.base import files
from codecfake.base.degraded_names import degradation_of

ALL = "all"
JOINT = {HANDLING: "all features that codecs should not change, together", ALL: "all features together"}
VERDICTS = ("fault", "accepted", "reported", "unknown")  # of overlaps, the most serious first


@dataclass(frozen=True)
class Cell:
    """The AUC of a probe. `heat` goes from 0, chance or below, to 1."""

    text: str
    heat: str = "0"
    title: str = ""
    fault: bool = False


@dataclass(frozen=True)
class ProbeRow:
    feature: str
    unit: str
    meaning: str
    not_judged: str  # why the feature is never a fault; "" if it can be one
    cells: list[Cell]


@dataclass(frozen=True)
class Audit:
    faults: list[dict[str, str]]
    overlaps: list[dict[str, Any]]  # what lists share, the most serious first
    num_compared: int
    duplicates: list[dict[str, Any]]
    fakes: int
    with_twin: int
    sources: list[str]
    probes: list[ProbeRow]
    not_probed: dict[str, str]
    max_auc: float
    reasons: dict[str, str]


def audit_section(folder: Path) -> Audit:
    """The audit's output in a folder, as the page shows it."""
    verdict = files.read_json(folder / "audit.json")
    overlap, duplicates, twins, shortcuts = (
        files.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={"auc": "", "low": "", "high": ""})
        for name in ("overlap", "duplicates", "twins", "shortcuts")
    )
    # degraded sources are in the section of ladders
    shortcuts = shortcuts[shortcuts["source"].map(degradation_of) == ""]
    probed = shortcuts[shortcuts["verdict"] != "not probed"]
    sources = list(dict.fromkeys(probed["source"]))
    lost = shortcuts[shortcuts["verdict"] == "not probed"]
    return Audit(
        verdict["faults"],
        _most_serious_first(overlap),
        len(overlap),
        duplicates.to_dict("records"),
        int(twins["fakes"].sum()),
        int(twins["equally_long"].sum()),
        sources,
        _probe_rows(probed, sources, verdict["not_judged"]),
        dict(zip(lost["source"], lost["why"], strict=True)),
        verdict["limits"]["max_shortcut_auc"],
        verdict["not_judged"],
    )


def _most_serious_first(overlap: pd.DataFrame) -> list[dict[str, Any]]:
    rows = overlap[overlap["verdict"] != "none"]
    rank = rows["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    records: list[dict[str, Any]] = rows.assign(rank=rank).sort_values("rank", kind="stable").to_dict("records")
    return records


def _probe_rows(probed: pd.DataFrame, sources: list[str], reasons: dict[str, str]) -> list[ProbeRow]:
    """A row for each feature, joint ones first; none without probes."""
    if probed.empty:
        return []
    by_name = probed.set_index(["feature", "source"]).to_dict("index")
    names = [(name, "", meaning) for name, meaning in JOINT.items()]
    names += [(feature.name, feature.unit, feature.meaning) for feature in FEATURES]
    return [
        ProbeRow(name, unit, meaning, reasons.get(name, ""), [_cell(by_name[name, source]) for source in sources])
        for name, unit, meaning in names
        if name in probed["feature"].to_numpy()
    ]


def _cell(probe: dict[str, Any]) -> Cell:
    title = f"{probe['low']:.3f} to {probe['high']:.3f}, {probe['classifier']}, {probe['speakers']} speakers"
    heat = min(1.0, max(0.0, 2 * (probe["auc"] - 0.5)))
    return Cell(f"{probe['auc']:.2f}", f"{heat:.2f}", title, probe["verdict"] == "fault")
