"""The report's section of partial fakes: EERs of every measure, and the timeline of one fake with its spans."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.page import environment
from codecfake.report.partial import partial_section

MODEL = "mel-lcnn/codec/erm/seed1"
TABLE = """\
detector,training_set,strategy,seed,condition,source,measure,eer_percent,eer_low_percent,eer_high_percent,note
mel-lcnn,codec,erm,1,C1-p,F01-p,segment,5.0,3.0,8.0,
mel-lcnn,codec,erm,1,C1-p,F01-p,utterance,15.0,11.0,19.0,few clusters (2)
mel-lcnn,codec,erm,1,C1-p,F01-p,pooled,20.0,,,
mel-lcnn,codec,erm,1,C1-p,F01-p,range,25.0,24.0,26.5,
"""
PROTOCOL = """trial_id\tcorpus\tsource\tutterance_id\tkey
a\tany\tF00\ta\tbonafide
F01-p_a\tany\tF01-p\ta\tspoof
"""
SEGMENTS = """corpus\tsource\tutterance_id\tstart\tend\tscore
any\tF00\ta\t0.0\t0.5\t2
any\tF00\ta\t0.25\t0.75\t4
any\tF01-p\ta\t0.0\t0.5\t-1
any\tF01-p\ta\t0.25\t0.75\t3
"""
SPANS = "utterance_id\tstart\tend\na\t0.1\t0.3\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    texts = {
        "tables/partial.csv": TABLE,
        "protocols/eval/C1-p.tsv": PROTOCOL,
        f"segments/{MODEL}.tsv": SEGMENTS,
        "spans/any/F01-p.tsv": SPANS,
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def inputs(results: Path, **changes: Any) -> ReportInputs:
    values = {"partial": {"C1-p": "F01-p"}, **changes}
    return ReportInputs(
        title="", description="", models=[MODEL], conditions=["C1-p"], averages={"mean": ["C1-p"]},
        training_protocols={}, corpora=[], protocols=[], sources={}, experiment={}, results=results, excerpts={},
        **values,
    )  # fmt: skip


def test_every_measure_has_its_error_rate_and_interval(results: Path) -> None:
    section = partial_section(inputs(results))
    assert section is not None
    (panel,) = section.panels
    assert (panel.condition, panel.source, panel.trial) == ("C1-p", "F01-p", "F01-p_a")
    (model,) = panel.models
    assert model.name == MODEL
    assert dict(zip(section.measures, model.cells, strict=True)) == {
        "segment": ("5.0", "3.0–8.0"),
        "utterance": ("15.0", "11.0–19.0†"),
        "pooled": ("20.0", ""),
        "range": ("25.0", "24.0–26.5"),
    }


def test_the_headline_has_the_range_of_all_models_without_controls(results: Path) -> None:
    path = results / "tables/partial.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    other = table.assign(seed="2", eer_percent=["4.0", "15.0", "1.0", "1.0"])
    control = table.assign(condition="P00-p", source="P00-p", eer_percent="50.0")
    pd.concat([table, other, control]).to_csv(path, index=False)
    section = partial_section(inputs(results, controls=["P00-p"]))
    assert section is not None
    assert section.headline == (
        "Partial fakes: by the lowest segment of an utterance, EERs are 15.0\u00a0%; "
        "by single segments, 4.0 to 5.0\u00a0%."
    )


def test_controls_alone_have_no_headline(results: Path) -> None:
    section = partial_section(inputs(results, controls=["F01-p"]))
    assert section is not None
    assert section.headline == ""


def test_the_timeline_shows_the_fake_and_the_page_its_numbers(results: Path) -> None:
    section = partial_section(inputs(results))
    assert section is not None
    assert 'aria-label="Segments of F01-p_a"' in section.panels[0].figure
    assert "time (s)" in section.panels[0].figure
    page = environment().get_template("partial.html").render(partial=section, is_random={MODEL: False})
    assert "11.0–19.0" in page
    assert "<figcaption>C1-p" in page


def test_another_span_changes_the_timeline(results: Path) -> None:
    before = partial_section(inputs(results))
    (results / "spans/any/F01-p.tsv").write_text(SPANS.replace("0.3", "0.6"), encoding="utf-8")
    after = partial_section(inputs(results))
    assert before is not None
    assert after is not None
    assert before.panels[0].figure != after.panels[0].figure


def test_there_is_no_section_without_partial_fakes_and_no_report_without_their_table(results: Path) -> None:
    assert partial_section(inputs(results, partial={})) is None
    (results / "tables/partial.csv").unlink()
    with pytest.raises(ReportError, match=r"partial.csv: no such table; write the tables again"):
        partial_section(inputs(results))
