"""The report page: it holds what was measured, says what it is worth, and needs nothing but itself."""

import hashlib
import re
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from imitation_run import SAMPLE_RATE, ImitationRun

from codecfake.audio.shards import ShardError
from codecfake.base import files
from codecfake.quality.step import SummarySettings, write_summary
from codecfake.report.answer import Interval, eer_tables, findings
from codecfake.report.calibration import reliability_of
from codecfake.report.comparisons import families
from codecfake.report.contrast import contrast_of
from codecfake.report.exposure import exposure_of
from codecfake.report.figures import drawing, line_styles, series_color
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.materials import codec_rows
from codecfake.report.matrix import Matrix, matrix
from codecfake.report.page import write_report
from codecfake.report.published import PaperCell, paper_tables
from codecfake.report.training import read_models
from codecfake.scoring import verdicts
from codecfake.scoring.calibration import Calibration
from codecfake.tables import ScoreError
from codecfake.tables.spectrograms import NUM_MELS, log_mel, mel_bands

SECTIONS = [
    "overview",
    "listen",
    "eer",
    "analysis",
    "comparisons",
    "papers",
    "decisions",
    "calibration",
    "det",
    "scores",
    "quality",
    "training",
    "codecs",
    "data",
    "provenance",
]
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page: its ids, the addresses it refers to, its text, and tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "data", "poster"):
                self.addresses.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return ImitationRun(tmp_path_factory.mktemp("run") / "results").write()


@pytest.fixture
def copy(inputs: ReportInputs, tmp_path: Path) -> ReportInputs:
    """The same results, for a test to spoil; one model is enough to see how."""
    shutil.copytree(inputs.results, tmp_path / "results", ignore=shutil.ignore_patterns("*.sha256"))
    return replace(inputs, results=tmp_path / "results", models=inputs.models[:1])


@pytest.fixture(scope="module")
def html(inputs: ReportInputs) -> str:
    output = inputs.results / "report.html"
    write_report(inputs, output)
    return output.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_same_results_give_the_same_bytes(inputs: ReportInputs, html: str) -> None:
    again = inputs.results / "again.html"
    write_report(inputs, again)

    assert again.read_bytes() == html.encode()


def test_every_section_is_there_once_and_the_contents_lead_to_it(page: Page) -> None:
    assert [name for name in page.ids if name in SECTIONS] == SECTIONS
    assert {f"#{name}" for name in SECTIONS[1:]} <= set(page.addresses)


def test_tags_close_in_order_and_ids_are_unique(page: Page) -> None:
    assert page.misplaced == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_nothing_outside_itself_and_leads_to_the_page_of_times(html: str, page: Page) -> None:
    assert [address for address in page.addresses if not address.startswith(("#", "data:"))] == ["timing.html"]
    assert re.findall(r"@import|url\((?!#)|http", html) == []


def test_every_reference_inside_a_figure_leads_to_an_id_of_the_page(html: str, page: Page) -> None:
    referred = set(re.findall(r"url\(#([^)]+)\)", html)) | {a[1:] for a in page.addresses if a.startswith("#")}

    assert referred <= set(page.ids)


def test_notes_and_conditions_not_run_stand_before_the_first_table(page: Page) -> None:
    first_table = page.text.index("Equal error rates (%) at a glance")

    assert page.text.index("All speech here is <synthetic>.") < first_table
    assert page.text.index("A3 was not run : corpus audiocaps has no root") < first_table


def test_the_finding_comes_first_and_then_the_overview_the_player_and_the_tables(page: Page) -> None:
    places = [
        page.text.index(text)
        for text in (
            "mel-lcnn on vocoder fakes",
            "at a glance",
            "How to read this",
            "Listen The middle",
            "of every detector",
        )
    ]

    assert places == sorted(places)


def test_the_tables_begin_with_the_best_detector_of_every_training_set(page: Page) -> None:
    answer = page.text[page.text.index("Equal error rates of every detector") :]

    assert "Trained on codec (erm), w2v2-aasist random front-end has the lowest mean EER" in answer
    assert "Trained on vocoder (erm), " in answer
    assert "on C7 (unseen in training)" in answer


def test_every_number_of_a_detector_with_a_random_front_end_is_marked(html: str) -> None:
    eer_rows = re.findall(r"<tr><th>(mel-lcnn|w2v2-aasist)(.*?)</tr>", html, re.DOTALL)
    cells = [(name, row.count("<td"), row.count('class="mark"')) for name, row in eer_rows if 'class="cell' in row]

    # Two training sets, each with two averages and three conditions.
    assert sorted(cells) == [("mel-lcnn", 5, 0)] * 2 + [("w2v2-aasist", 5, 5)] * 2


@pytest.mark.long
def test_nothing_is_said_of_random_front_ends_where_there_is_none(copy: ReportInputs, tmp_path: Path) -> None:
    assert copy.models[0].startswith("mel-lcnn/")
    write_report(copy, tmp_path / "report.html")

    assert "random" not in Page((tmp_path / "report.html").read_text()).text


def test_the_table_shows_the_eer_of_the_csv(inputs: ReportInputs, page: Page) -> None:
    table = pd.read_csv(inputs.results / "tables/eer.csv").set_index(["detector", "training_set", "condition"])
    expected = table.loc[("mel-lcnn", "vocoder", "C1"), "eer_percent"]
    row = page.text[page.text.index("mel-lcnn", page.text.index("Trained on vocoder, erm")) :]

    # After the detector's name come the averages C1–C6, here C1 alone, and C7, then C1.
    assert row.split()[3] == f"{expected:.1f}"


def test_a_condition_is_unseen_if_no_attack_of_its_spoofs_was_trained_on(inputs: ReportInputs) -> None:
    tables = eer_tables(inputs, read_models(inputs.results, inputs.models))

    unseen = {table.training_set: [c.name for c in table.columns if c.unseen] for table in tables}

    # The imitation trains the codec models on F01 and the vocoder models on A01.
    assert unseen == {"vocoder": ["C1–C6", "C7", "C1", "C7", "19LA"], "codec": ["C7", "C7", "19LA"]}


@pytest.mark.long
def test_seeds_are_averaged_with_their_spread(tmp_path: Path) -> None:
    inputs = ImitationRun(tmp_path / "results", seeds=[1, 2]).write()
    table = pd.read_csv(inputs.results / "tables/eer.csv", dtype={"condition": str})
    rows = table.query("detector == 'mel-lcnn' and training_set == 'vocoder' and condition == 'C7'")
    one, two = rows["eer_percent"]

    cell = eer_tables(inputs, read_models(inputs.results, inputs.models))[0].rows[0].cells[1]

    assert cell.eer == pytest.approx((one + two) / 2)
    assert cell.spread == pytest.approx(abs(one - two) / np.sqrt(2))


def test_an_eer_stands_above_its_interval_and_an_average_has_none(inputs: ReportInputs, html: str) -> None:
    table = pd.read_csv(inputs.results / "tables/eer_seeds.csv").set_index(["detector", "training_set", "condition"])
    low, high = table.loc[("mel-lcnn", "vocoder", "C1"), ["eer_low_percent", "eer_high_percent"]]
    row = re.search(r"<tr><th>mel-lcnn(?:(?!</tr>).)*td class=\"cell.*?</tr>", html, re.DOTALL)
    assert row is not None

    cells = row[0].split("<td")[1:]

    assert ['class="interval"' in cell for cell in cells] == [False, False, True, True, True]
    assert f">{low:.1f}–{high:.1f}†</small>" in cells[2]  # of one speaker a corpus, so of two


def test_the_page_says_how_intervals_were_drawn_and_what_few_speakers_do_to_them(html: str, page: Page) -> None:
    assert "its 95 % interval; † marks an interval from fewer than 10 speakers" in page.text
    assert "How the intervals were computed bootstrap by speaker" in page.text
    assert "few clusters (2)" in html  # in the title of an interval


def test_only_an_interval_of_few_clusters_or_of_trials_is_unreliable() -> None:
    notes = [
        "",
        "4 missed and 4 accepted",
        "up to 30 % of clusters may yet have errors",
        "few clusters (6)",
        "no resampling by speaker: one speaker",
    ]

    unreliable = [Interval(1.0, 2.0, 0.95, "exact", note).unreliable for note in notes]

    assert unreliable == [False, False, False, True, True]


@pytest.mark.long
def test_where_nothing_has_bounds_nothing_is_said_of_intervals(copy: ReportInputs, tmp_path: Path) -> None:
    path = copy.results / "tables/eer_seeds.csv"
    pd.read_csv(path).assign(eer_low_percent=None, eer_high_percent=None).to_csv(path, index=False)
    write_report(copy, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()

    assert 'class="interval"' not in html
    assert "How the intervals were computed" not in html


@pytest.mark.long
def test_a_mean_over_other_seeds_than_are_shown_lends_them_no_interval(tmp_path: Path) -> None:
    inputs = ImitationRun(tmp_path / "results", ["mel-lcnn"], ["codec"], seeds=[1, 2]).write()

    def intervals(models: list[str]) -> list[bool]:
        table = eer_tables(replace(inputs, models=models), read_models(inputs.results, models))[0]
        return [cell.interval is not None for cell in table.rows[0].cells]

    assert intervals(inputs.models) == [False, False, True, True, True]
    assert intervals(inputs.models[:1]) == [False] * 5


def test_costs_are_those_of_the_csv_and_said_to_be_of_raw_scores(inputs: ReportInputs, page: Page) -> None:
    table = pd.read_csv(inputs.results / "tables/metrics.csv").set_index(["detector", "training_set", "condition"])
    cllr, min_cllr, act_dcf, min_dcf = table.loc[
        ("mel-lcnn", "codec", "C7"), ["cllr", "min_cllr", "act_dcf", "min_dcf"]
    ]
    section = page.text[page.text.index("Calibration A score") :]
    rows = section[section.index("mel-lcnn/codec/erm/seed1") :]

    assert "The scores in this table are the raw outputs" in section
    assert f"C7 {cllr:.3f} {min_cllr:.3f} {act_dcf:.3f} {min_dcf:.3f}" in rows


def test_trials_that_conditions_share_are_calibrated_once(tmp_path: Path) -> None:
    run = ImitationRun(tmp_path / "results", ["mel-lcnn"], ["codec"], conditions={"C1": "F01", "C7": "F07"})
    inputs = replace(run.write(), averages={"both": ["C1", "C7"]})

    result = reliability_of(inputs, inputs.models[0])

    # Two corpora of 40 recordings, which both conditions judge, and the fakes of each condition.
    assert (result.num_bonafide, result.num_spoof) == (80, 160)
    assert sum(item.count for item in result.bins) == 240
    assert result.calibrated is not None
    assert result.calibrated.min_cllr == pytest.approx(result.raw.min_cllr)  # order is all that it depends on
    assert result.calibrated.cllr != result.raw.cllr


def test_a_trial_of_two_keys_is_named(copy: ReportInputs) -> None:
    path = copy.results / "protocols/eval/C7.tsv"
    path.write_text(path.read_text().replace("\tenglish_003\tF00\tbonafide\t", "\tenglish_003\tF00\tspoof\t"))

    with pytest.raises(ReportError, match="trial english_003 is bona fide in one of C1, C7 and spoof in another"):
        reliability_of(replace(copy, averages={"both": ["C1", "C7"]}), copy.models[0])


@pytest.mark.parametrize(
    ("calibration", "words"),
    [
        (None, "all its dev scores are equal"),
        (Calibration(0.0, 0.0, 0.5, 3, 3), "dev spoofs do not score below bona fide trials"),
    ],
)
def test_without_a_calibration_the_page_says_why_in_words(
    copy: ReportInputs, tmp_path: Path, calibration: Calibration | None, words: str
) -> None:
    path = copy.results / "models" / copy.models[0] / verdicts.CALIBRATION
    verdicts.write(path, verdicts.DevResult(0.5, 0.0, calibration))
    write_report(copy, tmp_path / "report.html")

    assert f"No plot: {words}" in Page((tmp_path / "report.html").read_text()).text


def test_a_model_without_a_calibration_file_is_told_how_to_get_one(copy: ReportInputs) -> None:
    (copy.results / "models" / copy.models[0] / verdicts.CALIBRATION).unlink()

    assert "codecfake calibrate" in reliability_of(copy, copy.models[0]).why_not


def overview(inputs: ReportInputs) -> Matrix:
    tables = eer_tables(inputs, read_models(inputs.results, inputs.models))
    exposure = exposure_of(inputs, codec_rows(inputs))
    return matrix(
        tables, exposure, contrast_of(tables, exposure, inputs.averages), inputs.averages, {"C1": "soundstream"}
    )


def test_a_glance_shows_every_training_set_and_detector_and_what_was_trained_on(inputs: ReportInputs) -> None:
    table = overview(inputs)

    # The detector with a random front-end does not count in the mean, so the row of a training set is the other one's.
    names = [(row.trained_on, row.detector, row.random_front_end) for row in table.rows]
    assert names == [
        ("vocoder", "mel-lcnn", False), ("", "w2v2-aasist", True),
        ("codec", "mel-lcnn", False), ("", "w2v2-aasist", True),
    ]  # fmt: skip
    assert [(column.name, column.label) for column in table.columns] == [
        ("C1", "soundstream"), ("C7", "mean"), ("19LA", "mean")
    ]  # fmt: skip
    # The imitation trains on F01 and A01.
    assert [[cell.mark for cell in row.cells] for row in table.main_rows] == [["", "", ""], ["●", "", ""]]


@pytest.mark.long
def test_a_mean_over_detectors_is_that_of_their_eers(tmp_path: Path) -> None:
    run = ImitationRun(tmp_path / "results", ["mel-lcnn", "other"], ["codec"], random_front_ends=(), num_trials=12)
    inputs = run.write()
    table = pd.read_csv(inputs.results / "tables/eer.csv", dtype={"condition": str}).query("condition == 'C7'")

    main, *details = overview(inputs).rows

    assert (main.detector, [row.detector for row in details]) == ("mean of 2 detectors", ["mel-lcnn", "other"])
    assert main.cells[1].eer is not None
    assert main.cells[1].eer.eer == pytest.approx(table["eer_percent"].mean())


@pytest.mark.long
def test_warnings_follow_from_the_run(copy: ReportInputs, tmp_path: Path) -> None:
    """F07 has no training here; F01 has 301 steps; 80 trials of a key make steps of 1.25 points."""

    def text(**changes: object) -> str:
        write_report(replace(copy, **changes), tmp_path / "report.html")
        return Page((tmp_path / "report.html").read_text()).text

    assert "one more error moves an EER by 1.2 percentage points" in text()
    assert "The codecs of F01 were trained in this run, for 300 steps; they are not the published models." in text()
    assert "of F01 were trained further in this run, for 300 steps." in text(shipped=["F01", "F07"])
    assert "The codecs are small ones of the package, not the published models." in text(shipped=["F01", "F07"])
    assert "trained in this run" not in text(trained_codecs={}).split("at a glance")[0]
    assert "is the control" not in text()
    assert "C1 is the control, recordings that went through no codec: every EER on it must be 50 %, but" in text(
        controls=["F01"]
    )


def test_comparisons_show_differences_and_which_are_sure(copy: ReportInputs, inputs: ReportInputs) -> None:
    path = copy.results / "tables/comparisons.csv"
    table = pd.read_csv(path, dtype={"condition": str}).set_index(["first", "condition"])
    lead = ("mel-lcnn/codec/erm/seed1", "C1")
    table["significant"] = False
    table.loc[lead, ["difference_percent_points", "low_percent_points", "high_percent_points"]] = -12.34, -20, -5
    table.loc[lead, ["p_value", "holm_p_value", "significant"]] = 0.001, 0.006, True
    table.loc[("mel-lcnn/codec/erm/seed1", "C7"), ["low_percent_points", "note"]] = np.nan, "p is an upper bound"
    table.reset_index().to_csv(path, index=False)

    settings = replace(copy, models=inputs.models)
    (family,) = families(settings, read_models(copy.results, inputs.models))

    assert (family.name, family.columns, family.tests, family.significant) == (
        "training set",
        ["C1", "C7", "19LA"],
        6,
        1,
    )
    pair = family.pairs[0]
    assert (pair.differ, pair.alike, pair.random_front_end) == ("codec − vocoder", "mel-lcnn, erm", False)
    assert (pair.cells[0].text, pair.cells[0].significant) == ("−12.3", True)
    assert "mel-lcnn/codec/erm/seed1 − mel-lcnn/vocoder/erm/seed1; -20.0 to -5.0; p 0.001" in pair.cells[0].title
    assert "no interval" in pair.cells[1].title
    assert [cell.bounded for cell in pair.cells] == [False, True, False]
    assert family.pairs[1].random_front_end


@pytest.mark.long
def test_models_that_are_not_shown_are_not_compared(copy: ReportInputs, tmp_path: Path) -> None:
    write_report(copy, tmp_path / "report.html")

    assert "comparisons" not in Page((tmp_path / "report.html").read_text()).ids


def test_comparisons_that_were_not_written_are_named(copy: ReportInputs, tmp_path: Path) -> None:
    (copy.results / "tables/comparisons.csv").unlink()

    with pytest.raises(ReportError, match="comparisons.csv: no such table; write the tables again"):
        write_report(copy, tmp_path / "report.html")


@pytest.mark.long
def test_more_than_three_ways_to_train_are_folded_under_the_best_three(tmp_path: Path) -> None:
    sets = ["vocoder", "codec", "co", "more", "most"]
    run = ImitationRun(tmp_path / "results", ["mel-lcnn"], sets, conditions={"C1": "F01", "C7": "F07"}, papers={})
    write_report(run.write(), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    section = html[html.index('<section id="eer">') : html.index('<section id="analysis">')]

    assert "<summary>The best detectors of 2 more ways to train" in section
    assert section.count("has the lowest mean EER") == 5
    assert len(re.findall(r"<details( open)?><summary>Trained on", html)) == 5
    assert len(re.findall(r"<details open><summary>Trained on", html)) == 1


def test_our_number_stands_above_the_printed_one_and_their_difference(inputs: ReportInputs, page: Page) -> None:
    table = pd.read_csv(inputs.results / "tables/eer.csv").set_index(["detector", "training_set", "condition"])
    ours = [table.loc[("mel-lcnn", "codec", condition), "eer_percent"] for condition in ("19LA", "C1", "C7")]
    text = page.text[page.text.index("The papers' numbers Error rates") :]

    # Table VI prints 26.826 for 19LA, 2.147 for C1 and 30.867 for C7; of the other columns the imitation has none.
    differences = [f"{a - b:+.3f}".replace("-", "−") for a, b in zip(ours, (26.826, 2.147, 30.867), strict=True)]
    assert f"Mel-LCNN ours {' '.join(f'{value:.3f}' for value in ours)} published 26.826" in text
    assert f"difference {' '.join(differences)}" in text
    assert "data and sizes are not the paper's" in text


def test_a_paper_table_marks_our_numbers_of_random_front_ends_alone(inputs: ReportInputs) -> None:
    (table,) = paper_tables(inputs, read_models(inputs.results, inputs.models))

    random_rows = {row.labels[0]: row.random_front_end for row in table.rows}

    assert random_rows == {"Mel-LCNN": False, "W2V2-LCNN": False, "WavLM-AASIST": False, "W2V2-AASIST": True}
    assert (table.num_ours, table.num_cells) == (6, 44)  # two detectors under three conditions


def test_a_table_of_counts_has_a_line_a_count(copy: ReportInputs) -> None:
    path = copy.results / "tables/counted.csv"
    path.write_text("subset,column,ours,published,difference\nTraining,real,80,2580,-2500\nTraining,fake,,22800,\n")

    (table,) = paper_tables(replace(copy, papers={"counted": "A paper, Table IV"}), [])

    assert table.labels == ["subset", "column"]
    assert [row.cells[0] for row in table.rows] == [PaperCell("80", "2580", "−2500"), PaperCell("", "22800", "")]


def test_a_table_of_a_paper_that_was_not_written_is_named(copy: ReportInputs) -> None:
    with pytest.raises(ReportError, match=r"wu2024_table3.csv: no such table; write the tables again"):
        paper_tables(replace(copy, papers={"wu2024_table3": "Table 3"}), [])


@pytest.mark.long
def test_nothing_is_said_of_papers_where_no_table_is_asked_for(copy: ReportInputs, tmp_path: Path) -> None:
    write_report(replace(copy, papers={}), tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text())

    assert "papers" not in page.ids
    assert "#papers" not in page.addresses


@pytest.mark.long
def test_detectors_that_err_equally_little_are_named_together(copy: ReportInputs, tmp_path: Path) -> None:
    path = copy.results / "tables/eer.csv"
    table = pd.read_csv(path)
    table.assign(eer_percent=2.5).to_csv(path, index=False)
    models = ["mel-lcnn/codec/erm/seed1", "w2v2-aasist/codec/erm/seed1"]

    write_report(replace(copy, models=models), tmp_path / "report.html")

    answer = "mel-lcnn has the lowest mean EER, as has w2v2-aasist random front-end : 2.5 % on C1–C6"
    assert answer in Page((tmp_path / "report.html").read_text()).text


@pytest.mark.long
def test_of_detectors_that_are_equal_by_the_first_average_the_second_decides(
    copy: ReportInputs, tmp_path: Path
) -> None:
    path = copy.results / "tables/eer.csv"
    table = pd.read_csv(path)
    better = (table["detector"] == "w2v2-aasist") & (table["condition"] == "C7")
    table.assign(eer_percent=2.5).assign(eer_percent=lambda t: t["eer_percent"].mask(better, 1.0)).to_csv(
        path, index=False
    )
    models = ["mel-lcnn/codec/erm/seed1", "w2v2-aasist/codec/erm/seed1"]

    write_report(replace(copy, models=models), tmp_path / "report.html")

    text = Page((tmp_path / "report.html").read_text()).text
    assert "w2v2-aasist random front-end has the lowest mean EER: 2.5 % R on C1–C6" in text
    assert "as has" not in text


def test_a_model_is_told_by_the_digest_of_its_weights(inputs: ReportInputs, page: Page) -> None:
    weights = inputs.results / "models/mel-lcnn/codec/erm/seed1/weights.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()

    assert f"none {digest[:8]}" in page.text


def test_the_finding_that_leads_has_the_lowest_first_average(inputs: ReportInputs) -> None:
    tables = eer_tables(inputs, read_models(inputs.results, inputs.models))

    averages = [row.cells[0].eer for table in tables for row in table.rows]

    assert findings(tables)[0].row.cells[0].eer == min(averages)


def test_every_source_can_be_seen_and_heard(page: Page) -> None:
    # Two corpora, each as recorded and through two codecs.
    assert sum(address.startswith("data:audio/flac;base64,") for address in page.addresses) == 6
    assert sum(address.startswith("data:image/png;base64,") for address in page.addresses) == 6


@pytest.mark.long
def test_a_condition_of_dozens_of_thousands_of_trials_stays_a_small_figure(tmp_path: Path) -> None:
    run = ImitationRun(
        tmp_path / "results", ["mel-lcnn"], ["codec"], num_trials=5000, conditions={"C1": "F01", "C7": "F07"}
    )
    write_report(run.write(), tmp_path / "report.html")

    figures = re.findall(r'<svg class="figure".*?</svg>', (tmp_path / "report.html").read_text(), re.DOTALL)

    assert max(map(len, figures)) < 100_000


def test_a_trial_without_a_score_is_named(copy: ReportInputs, tmp_path: Path) -> None:
    path = copy.results / "scores" / copy.models[0] / "C1.tsv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "F01_english_003" not in line))

    with pytest.raises(ScoreError, match="no score: trial F01_english_003;"):
        write_report(copy, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_model_that_is_not_in_the_tables_is_named(inputs: ReportInputs) -> None:
    models = inputs.results / "models/mel-lcnn/codec/erm"
    shutil.copytree(models / "seed1", models / "seed9")

    with pytest.raises(ReportError, match="no row for mel-lcnn/codec/erm/seed9 under 19LA"):
        write_report(replace(inputs, models=["mel-lcnn/codec/erm/seed9"]), inputs.results / "none.html")


def test_a_source_made_in_two_ways_is_refused(copy: ReportInputs, tmp_path: Path) -> None:
    index = copy.results / "audio/mandarin/F01/0.parquet"
    files.write_parquet(index, pd.read_parquet(index).assign(weights_sha256="another"))

    with pytest.raises(ReportError, match="source F01: its shards were made with 2 settings"):
        write_report(copy, tmp_path / "report.html")


def test_a_chosen_excerpt_that_no_shard_holds_is_named(inputs: ReportInputs) -> None:
    with pytest.raises(ShardError, match="no utterance p999_001"):
        write_report(replace(inputs, excerpts={"english": "p999_001"}), inputs.results / "none.html")


def test_a_trial_of_an_unknown_utterance_is_named(copy: ReportInputs, tmp_path: Path) -> None:
    path = copy.results / "protocols/codec/train.tsv"
    path.write_text(path.read_text().replace("\tenglish_003\t", "\tenglish_999\t"))

    with pytest.raises(ReportError, match="codec/train: utterance english_999 is not in corpus english"):
        write_report(copy, tmp_path / "report.html")


def test_an_average_of_a_condition_that_was_not_run_is_refused(inputs: ReportInputs) -> None:
    with pytest.raises(ReportError, match="average 'AVG': condition ITW is not among those run"):
        replace(inputs, averages={"AVG": ["C1", "ITW"]})


def test_pretrained_front_end_weights_are_shown_by_name_and_digest(inputs: ReportInputs) -> None:
    model = read_models(inputs.results, inputs.models)[0]
    settings = {"front_end_weights": {"source": "xls-r-300m", "sha256": "0123456789abcdef"}}

    assert replace(model, settings=settings).front_end_weights == "xls-r-300m (sha256 01234567)"


def test_a_front_end_that_was_trained_from_random_weights_is_not_called_random(inputs: ReportInputs) -> None:
    model = read_models(inputs.results, inputs.models)[0]
    tuned = replace(model, settings={"front_end_weights": {"source": "random", "sha256": "0123456789abcdef"}})

    assert not tuned.has_random_front_end
    assert tuned.front_end_weights == "trained here from random weights"


def quality_row(html: str, source: str) -> str:
    """The markup of a source's row in the table of codec quality."""
    section = html[html.index('<section id="quality">') :]
    return re.search(rf"<tr><th>{source}<.*?</tr>|<tr><th>{source}<small.*?</tr>", section, re.DOTALL)[0]


def test_the_table_of_quality_shows_the_means_of_the_csv_in_units_a_person_reads(html: str) -> None:
    row = quality_row(html, "F01")

    # The imitation's numbers are of steps 3, 3.3, … 4.5: mean 3.75, standard error √(1.575 / 5) / √6 = 0.229.
    assert ">3.25</span><small>± 0.05</small>" in row  # PESQ 4 - 0.2 · 3.75
    assert ">0.375</span><small>± 0.023</small>" in row  # STOI
    assert ">−2.2</span><small>± 0.2</small>" in row  # SI-SDR 3.75 - 5.95
    assert ">7.5</span><small>± 0.5</small>" in row  # voicing error: 0.02 · 3.75 of the frames, in percent
    assert ">7.50 / 7.50</span></td>" in row  # bandwidth in kHz


def test_the_best_of_a_column_is_marked_and_the_worst_is_darkest_among_what_is_coded(html: str) -> None:
    pesq = [re.search(r'class="cell" style="--h:([\d.]+)"><span class="(lowest)?"', quality_row(html, source)).groups()
            for source in ("F01", "F07", "F01-16", "P00")]  # fmt: skip

    # Sources of longer names have lower PESQ; F07 lost its best utterance; the control takes no part.
    assert pesq[0] == ("0.00", "lowest")
    assert 0 < float(pesq[1][0]) < 0.2
    assert pesq[1][1] is None
    assert pesq[2] == ("1.00", None)
    assert pesq[3] == ("0", None)


@pytest.mark.long
def test_a_mean_of_few_utterances_is_neither_best_nor_what_others_are_shaded_by(
    copy: ReportInputs, tmp_path: Path
) -> None:
    path = copy.results / "tables/quality.csv"
    table = pd.read_csv(path, keep_default_na=False)
    own = (table["source"] == "F07") & (table["metric"] == "f0_error_cents")
    columns = ["n", "missing", "mean", "why_missing"]
    table.loc[own, columns] = [1, 5, 0.5, "no frame is voiced in both (5)"]
    table.to_csv(path, index=False)
    write_report(copy, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()

    assert '--h:0"><span class="">0</span>' in quality_row(html, "F07")
    assert "<small>1 of 6</small>" in quality_row(html, "F07")
    assert '--h:0.00"><span class="lowest">8</span>' in quality_row(html, "F01-16")  # about 60 / 7.5


@pytest.mark.long
def test_differences_too_small_to_matter_are_not_shaded_like_large_ones(copy: ReportInputs, tmp_path: Path) -> None:
    path = copy.results / "tables/quality.csv"
    table = pd.read_csv(path, keep_default_na=False)
    for source, pesq in (("F01", 1.04), ("F01-16", 1.02), ("F07", 1.03)):
        table.loc[(table["source"] == source) & (table["metric"] == "pesq"), "mean"] = pesq
    table.to_csv(path, index=False)
    write_report(copy, tmp_path / "report.html")

    assert '--h:0.04"><span class="">1.02' in quality_row((tmp_path / "report.html").read_text(), "F01-16")


def test_a_perfect_copy_is_shown_as_infinite_and_as_not_coded(html: str) -> None:
    row = quality_row(html, "P00")

    assert ">∞</span></td>" in row
    assert "not coded" in row


def test_aliases_and_printed_rates_stand_beside_the_true_one(html: str) -> None:
    row = quality_row(html, "F01")

    assert "<small>= C3-3</small>" in row
    assert "soundstream<small>8 quantizers</small></td>\n      <td>4.00</td><td>4</td>" in row


def test_what_could_not_be_measured_is_counted_and_named(html: str, page: Page) -> None:
    assert "<small>5 of 6</small>" in quality_row(html, "F07")
    assert "PESQ: no speech found, 1 times, in F07" in page.text
    assert "not installed where this was measured" not in page.text


@pytest.mark.long
def test_a_report_without_pesq_says_how_to_get_it(copy: ReportInputs, tmp_path: Path) -> None:
    for path in (copy.results / "quality").glob("*.tsv"):
        files.write_tsv(path, files.read_tsv(path).assign(pesq="", note="pesq: not installed"))
    write_summary(SummarySettings(copy.quality, copy.quality), copy.results / "quality", copy.results / "tables")
    write_report(copy, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()

    assert "PESQ is empty: the package" in html
    assert 'style="--h:0"><span class="">–</span></td>' in quality_row(html, "F01")


def test_more_bits_that_make_speech_worse_are_listed_with_the_numbers(page: Page) -> None:
    # From F01 to F01-16 the imitation's steps grow from 3.75 to 7.5: PESQ falls by 0.2 · 3.75, voicing errors rise.
    text = page.text[page.text.index("Do more bits help?") :]

    assert "Of 9 comparisons (one step to the next larger number of quantizers of a codec" in text
    # Six measures rise with the steps; the bandwidth stays.
    assert "6 are better and 2 worse by more than the standard error" in text
    assert "soundstream PESQ F01 (4) F01-16 (8) 0.75 ± 0.046 MOS-LQO 16.4 6" in text
    assert "soundstream voicing error F01 (4) F01-16 (8) 7.5 ± 0.46 % of frames 16.4 6" in text


@pytest.mark.long
def test_nothing_is_said_of_quality_where_no_codec_is_judged(copy: ReportInputs, tmp_path: Path) -> None:
    write_report(replace(copy, quality=[]), tmp_path / "report.html")
    page = Page((tmp_path / "report.html").read_text())

    assert "quality" not in page.ids
    assert "#quality" not in page.addresses


def test_a_source_without_a_row_in_the_table_of_quality_is_named(copy: ReportInputs, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"quality.csv: no row for source F09; write it again"):
        write_report(replace(copy, quality=["F09"]), tmp_path / "report.html")


def test_a_figure_is_well_formed_and_takes_its_colors_from_the_page() -> None:
    with drawing("a & b", 'x < "y"') as draft:
        draft.axes()[0].plot([0, 1], [2, 3], color=series_color(3))

    svg = ElementTree.fromstring(draft.svg.replace("xlink:href", "href"))

    assert svg.attrib["aria-label"] == 'x < "y"'
    assert "var(--series-3)" in draft.svg
    assert "currentColor" in draft.svg
    assert re.findall("#[0-9a-f]{6}", draft.svg) == []


def test_variants_of_a_condition_share_its_color_and_no_two_lines_look_alike() -> None:
    names = ["C1", "C3", "C3-1", "C3-2", "A1", "A2", "19LA"]

    styles = line_styles(names)

    assert styles["C3"].series == styles["C3-1"].series == styles["C3-2"].series
    assert len(set(styles.values())) == len(names)


def test_log_mel_of_a_tone_is_highest_in_the_band_of_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)

    loudest = log_mel(tone)[:, 50].argmax()

    # 1000 Hz is 1000 mel; 81 steps of 2840 / 81 = 35.06 mel reach from 0 to 8 kHz; band k is centered on step k + 1.
    assert loudest == round(1000 / (2840 / 81)) - 1


def test_mel_bands_leave_no_frequency_between_the_outer_centers_out() -> None:
    bands = mel_bands()

    assert bands.shape == (NUM_MELS, 257)
    np.testing.assert_allclose(
        bands.sum(axis=0)[2:248], 1
    )  # the outer centers are 17.5 Hz and 7733 Hz, bins 0.7 and 247.4
