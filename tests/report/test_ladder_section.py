"""The report's section of laundering ladders: steps with error rates, intervals and the largest AUC of probes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.ladder import ladder_section
from codecfake.report.page import environment
from codecfake.tables import Model

MODEL = "mel-lcnn/codec/erm/seed1"
TABLE = """detector,training_set,strategy,condition,kind,step,value,eer_percent,eer_low_percent,eer_high_percent
mel-lcnn,codec,erm,C1,noise,0,,5.0,3.0,8.0
mel-lcnn,codec,erm,C1,noise,1,20,15.0,11.0,19.0
mel-lcnn,codec,erm,C1,noise,2,0,45.0,,
"""
SHORTCUTS = """source,feature,auc,low,high
F01,duration,0.5,0.5,0.5
F01+noise_20,duration,0.61,0.5,0.7
F02+noise_20,duration,0.52,0.5,0.6
F01+noise_20,trail_silence,0.7,0.6,0.8
F01+noise_0,duration,,,
"""
TRAINED: list[Any] = [SimpleNamespace(model=Model.parse(MODEL), has_random_front_end=False)]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name, text in (("tables/ladder.csv", TABLE), ("audit/shortcuts.csv", SHORTCUTS)):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    return tmp_path


def inputs(results: Path, **changes: Any) -> ReportInputs:
    values = {"ladders": {"C1": ["noise_20", "noise_0"]}, "audit": True, **changes}
    return ReportInputs(
        title="", description="", models=[MODEL], conditions=["C1"], averages={"mean": ["C1"]}, training_protocols={},
        corpora=[], protocols=[], sources={}, experiment={}, results=results, excerpts={}, **values,
    )  # fmt: skip


def test_a_step_shows_its_error_rate_and_the_largest_auc_over_sources(results: Path) -> None:
    section = ladder_section(inputs(results), TRAINED)
    assert section is not None
    (panel,) = section.panels
    assert [(step.label, step.cells, step.probes) for step in panel.steps] == [
        ("plain", [("5.0", "3.0–8.0")], ["0.50", "–"]),
        ("20", [("15.0", "11.0–19.0")], ["0.61", "0.70"]),
        ("0", [("45.0", "")], ["–", "–"]),
    ]


def test_the_curve_names_its_steps_and_the_page_shows_them(results: Path) -> None:
    section = ladder_section(inputs(results), TRAINED)
    assert section is not None
    assert all(f">{label}<" in section.panels[0].figure for label in ("plain", "20", "noise (dB)"))
    page = environment().get_template("ladder.html").render(ladder=section)
    assert "C1, noise: EER (%)" in page
    assert "11.0–19.0" in page


def test_there_is_no_section_without_ladders_and_no_report_without_their_table(results: Path) -> None:
    assert ladder_section(inputs(results, ladders={}), TRAINED) is None
    (results / "tables/ladder.csv").unlink()
    with pytest.raises(ReportError, match=r"ladder.csv: no such table; write the tables again"):
        ladder_section(inputs(results), TRAINED)
