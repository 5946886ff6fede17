"""The report's answer to what training on sounds does: a sentence for each detector and group, and their table."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from imitation_run import ImitationRun

from codecfake.report.contents import contents_section
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.page import environment, write_report
from codecfake.tables import Model

MODELS = [f"mel-lcnn/{name}/erm/seed1" for name in ("speech", "sound", "both")]
HEAD = (
    "detector,training_set,strategy,trained_on,content,spoofs,conditions,num_seeds,"
    "eer_percent,eer_low_percent,eer_high_percent,num_speakers\n"
)
ROWS = (
    "mel-lcnn,speech,erm,speech,speech,coded,C1 C2,1,5,3,8,20\n"
    "mel-lcnn,speech,erm,speech,sound,coded,S1 S2,1,40,35,45,16\n"
    "mel-lcnn,speech,erm,speech,sound,not coded,A3,1,34,30,38,900\n"
    "mel-lcnn,speech,erm,speech,sound,control,P00,1,50,50,50,16\n"
    "mel-lcnn,sound,erm,sound,speech,coded,C1 C2,1,30,25,35,20\n"
    "mel-lcnn,sound,erm,sound,sound,coded,S1 S2,1,10,5,15,16\n"
    "mel-lcnn,sound,erm,sound,sound,not coded,A3,1,31,27,35,900\n"
    "mel-lcnn,sound,erm,sound,sound,control,P00,1,50,50,50,16\n"
    "mel-lcnn,both,erm,speech and sound,speech,coded,C1 C2,1,6,4,9,20\n"
    "mel-lcnn,both,erm,speech and sound,sound,coded,S1 S2,1,12,7,18,16\n"
    "mel-lcnn,both,erm,speech and sound,sound,not coded,A3,1,45,41,49,900\n"
    "mel-lcnn,both,erm,speech and sound,sound,control,P00,1,50,50,50,16\n"
)
TRAINED: list[Any] = [SimpleNamespace(model=Model.parse(name), has_random_front_end=False) for name in MODELS]


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReportInputs:
    monkeypatch.setattr("codecfake.report.contents.decimals_by_condition", lambda inputs: {"C1": 1})
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/contents.csv").write_text(HEAD + ROWS, encoding="utf-8")
    return ReportInputs(
        title="", description="", models=MODELS, conditions=["C1"], averages={"mean": ["C1"]}, training_protocols={},
        corpora=[], protocols=[], sources={}, experiment={}, results=tmp_path, excerpts={}, contents=True,
    )  # fmt: skip


def test_a_sentence_claims_no_more_than_the_intervals_of_the_table_show(inputs: ReportInputs) -> None:
    section = contents_section(inputs, TRAINED)
    assert section is not None
    assert [answer.replace("\u00a0", " ") for answer in section.answers] == [
        "Coded sound: mel-lcnn trained on speech alone has an EER of 40.0 %; training on sound lowers it to 10.0 %, "
        "and training on speech and sound lowers it to 12.0 %.",
        "Other fakes of sound: mel-lcnn trained on speech alone has an EER of 34.0 %; for training on sound (31.0 %), "
        "the intervals show no difference, and training on speech and sound raises it to 45.0 %.",
        "Coded speech: mel-lcnn trained on speech alone has an EER of 5.0 %; training on sound raises it to 30.0 %, "
        "and for training on speech and sound (6.0 %), the intervals show no difference.",
    ]


def test_the_headline_is_about_generated_sounds_or_else_about_coded_ones(inputs: ReportInputs) -> None:
    section = contents_section(inputs, TRAINED)
    assert section is not None and section.headline == section.answers[1]
    path = inputs.results / "tables/contents.csv"
    rows = [row for row in ROWS.splitlines(keepends=True) if ",not coded," not in row]
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    section = contents_section(inputs, TRAINED)
    assert section is not None and section.headline == section.answers[0]


def test_the_table_has_a_row_for_each_training_set_and_a_column_for_each_group(inputs: ReportInputs) -> None:
    section = contents_section(inputs, TRAINED)
    assert section is not None
    names = ["coded speech (C1, C2)", "coded sound (S1, S2)", "other fakes of sound (A3)", "control, sound (P00)"]
    assert section.table.columns == names
    assert [row.cells[1] for row in section.table.rows] == ["40.0 [35.0, 45.0]", "10.0 [5.0, 15.0]", "12.0 [7.0, 18.0]"]
    assert section.few == 16


def test_the_page_shows_answers_and_table(inputs: ReportInputs) -> None:
    section = contents_section(inputs, TRAINED)
    empty = dict.fromkeys(("cross", "held_out", "label_policies", "group_tables", "taxonomy", "speaker_errors"), [])
    template = environment().get_template("analysis.html")
    page = template.render(contents=section, layer_weights=[], **empty)
    assert "training on sound lowers it to 10.0" in page and "10.0 [5.0, 15.0]" in page
    assert "lowers it to" not in template.render(contents=None, layer_weights=[], **empty)


def test_without_a_training_set_of_speech_alone_there_is_a_table_and_no_sentence(inputs: ReportInputs) -> None:
    path = inputs.results / "tables/contents.csv"
    rows = [row for row in ROWS.splitlines(keepends=True) if ",speech,erm," not in row]
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    section = contents_section(inputs, TRAINED)
    assert section is not None
    assert section.answers == [] and section.headline == "" and len(section.table.rows) == 2


def test_a_missing_table_is_named(inputs: ReportInputs) -> None:
    (inputs.results / "tables/contents.csv").unlink()
    with pytest.raises(ReportError, match=r"contents.csv: no such table; write the tables again"):
        contents_section(inputs, TRAINED)


@pytest.mark.long
def test_the_whole_page_has_the_answer_as_its_headline_and_the_quality_on_sounds(tmp_path: Path) -> None:
    run = ImitationRun(tmp_path, detectors=["mel-lcnn"], training_sets=["speech", "sound", "both"], papers={})
    inputs = run.write()
    (tmp_path / "tables/contents.csv").write_text(HEAD + ROWS, encoding="utf-8")
    quality = (tmp_path / "tables/quality.csv").read_text(encoding="utf-8")
    (tmp_path / "tables/quality_sounds.csv").write_text(quality, encoding="utf-8")
    write_report(replace(inputs, contents=True, quality_sounds=["F01", "F07"]), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert '<p class="answer">Other fakes of sound: mel-lcnn trained on speech alone has an EER of 34.0 %;' in page
    assert "On sounds" in page and page.index("On sounds") < page.index("Do more bits help?")
