"""The papers' numbers as data: every table has its shape, its sums and averages hold, and its cells find ours."""

from dataclasses import replace
from math import ceil, floor
from pathlib import Path

import pytest
from places import EXPERIMENTS, PUBLISHED

from codecfake.experiment.reading import load
from codecfake.tables.published import LABELS, Published, PublishedError, PublishedTable, wrong_averages

ERROR_RATE_TABLES = {
    "xie2025_table5": (4, 11),
    "xie2025_table6": (4, 11),
    "xie2025_table7": (4, 8),
    "xie2025_table8": (6, 8),
    "xie2025_table9": (8, 4),
    "xie2025_table10": (7, 11),
    "wu2024_table3": (17, 3),
    "wu2024_figure2": (17, 15),
}


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(PUBLISHED)


def value(table: PublishedTable, **labels: str) -> str:
    expected = {"strategy": "ERM", "test": "", **labels}
    cells = table.cells
    (value,) = cells.loc[(cells[list(expected)] == list(expected.values())).all(axis=1), "value"]
    return str(value)


def test_every_table_of_the_folder_is_known_and_no_other(published: Published) -> None:
    counts = ["xie2025_table4", "wu2024_table2"]
    assert published.names == [*ERROR_RATE_TABLES, *counts]
    names = {path.stem for path in PUBLISHED.glob("*.tsv")} - {"xie2025_counts"}
    assert names == {*ERROR_RATE_TABLES, *counts}


@pytest.mark.parametrize(("name", "shape"), ERROR_RATE_TABLES.items())
def test_a_table_is_a_full_grid_of_rows_and_columns(published: Published, name: str, shape: tuple[int, int]) -> None:
    cells = published.error_rates(name).cells

    assert not cells.duplicated(LABELS).any()
    assert (len(cells.drop_duplicates(LABELS[:-1])), cells["condition"].nunique()) == shape
    assert len(cells) == shape[0] * shape[1]


@pytest.mark.parametrize("name", ERROR_RATE_TABLES)
def test_values_have_the_decimals_of_print_and_an_empty_one_says_why(published: Published, name: str) -> None:
    table = published.error_rates(name)

    for _, cell in table.cells.iterrows():
        if cell["value"]:
            assert 0 <= float(cell["value"]) < 100
            assert len(cell["value"].split(".")[1]) == table.decimals
        else:
            assert cell["note"]


@pytest.mark.parametrize("name", ERROR_RATE_TABLES)
def test_printed_averages_are_the_means_of_their_cells(published: Published, name: str) -> None:
    assert wrong_averages(published.error_rates(name)) == []


def test_a_wrong_average_is_named(published: Published) -> None:
    table = published.error_rates("xie2025_table9")
    cells = table.cells.copy()
    cells.loc[cells["value"] == "18.774", "value"] = "18.775"

    assert wrong_averages(replace(table, cells=cells)) == [
        "Mel-LCNN Vocoder-trained ERM  AVG: printed 18.775, mean 18.77367"
    ]


def test_cells_read_as_the_papers_print_them(published: Published) -> None:
    table = published.error_rates
    w2v2 = {"detector": "W2V2-AASIST"}
    assert value(table("xie2025_table5"), training="19LA", condition="19LA", **w2v2) == "0.122"
    assert value(table("xie2025_table6"), training="Codecfake", condition="CAVG", **w2v2) == "0.177"
    assert value(table("xie2025_table8"), training="Chinese", test="ALL", condition="C7", **w2v2) == "26.293"
    assert value(table("xie2025_table9"), training="Codec-trained", condition="A3", **w2v2) == "33.803"
    csam = {"training": "19LA + Codecfake", "strategy": "CSAM"}
    assert value(table("xie2025_table10"), condition="AVG", **csam, **w2v2) == "0.616"
    wu = {"detector": "AASIST-L"}
    assert value(table("wu2024_table3"), training="E", condition="VALL-E", **wu) == "0.40"
    assert value(table("wu2024_figure2"), training="A", condition="D2", **wu) == "45.96"


def test_every_error_rate_of_wu_is_a_number_of_errors_of_its_trials(published: Published) -> None:
    trials = {"VALL-E X": 36, "SpeechX": 12}
    for name in ("wu2024_figure2", "wu2024_table3"):
        for _, cell in published.error_rates(name).cells.iterrows():
            if cell["value"]:
                errors = float(cell["value"]) / 100 * trials.get(cell["condition"], 755)
                rounding = 0.005001 / 100 * trials.get(cell["condition"], 755)
                assert ceil(errors - rounding) <= floor(errors + rounding), f"{' '.join(cell[LABELS])}"


def test_sums_of_counts_hold(published: Published) -> None:
    cells = published.counts("xie2025_table4").cells.set_index(["subset", "column"])["value"]
    for subset in ("Training set", "Development set", "Evaluation set"):
        assert int(cells[subset, "real"]) + int(cells[subset, "fake"]) == int(cells[subset, "total"])

    wu = published.counts("wu2024_table2").cells
    codec = wu[(wu["data"] == "CodecFake") & (wu["count"] == "utterances")]["value"].astype(int)
    assert codec.sum() == 44242  # the recordings of VCTK that Xie et al. 2025 count too


def test_cells_find_ours_by_name(published: Published) -> None:
    models = ["w2v2-aasist/co/csam/seed1", "mel-lcnn/codec/erm/seed2"]

    assert published.matching(models, ["C1", "C7"]) == ["xie2025_table6", "xie2025_table10"]
    assert published.matching(models, ["A1"]) == ["xie2025_table9"]
    assert published.matching(models, []) == []


@pytest.mark.parametrize("experiment", ["xie2025", "wu2024"])
def test_a_papers_experiment_answers_every_cell_of_its_tables(published: Published, experiment: str) -> None:
    plan = load(EXPERIMENTS / f"{experiment}.yaml")
    groups = {name.rpartition("/")[0] for name in plan.model_names()}
    tables = [name for name in ERROR_RATE_TABLES if name.startswith(experiment)]

    for name in tables:
        cells = published.error_rates(name).single
        ours = cells["our_detector"] + "/" + cells["our_training_set"] + "/" + cells["our_strategy"]
        unanswered = cells[~(ours.isin(groups) & cells["our_condition"].isin(plan.conditions))]
        assert unanswered.empty, unanswered
        assert published.is_of_paper(name, plan.title)


def test_no_other_experiment_passes_for_the_papers(published: Published) -> None:
    demo = load(EXPERIMENTS / "demo.yaml")

    assert "xie2025_table6" in published.matching(demo.model_names(), demo.conditions)
    assert not published.is_of_paper("xie2025_table6", demo.title)
    assert published.counts_of(demo.title) == []


def test_the_members_of_an_average_are_those_of_its_own_row(published: Published) -> None:
    table = published.error_rates("xie2025_table8")
    average = table.cells[(table.cells["test"] == "Chinese") & (table.cells["condition"] == "AVG")].iloc[0]

    members = table.members(average)

    assert list(members["condition"]) == ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]
    assert set(members["training"] + members["test"]) == {"EnglishChinese"}
    assert list(members["our_condition"])[0] == "C1-chinese"


def test_a_name_without_ours_is_refused(tmp_path: Path) -> None:
    for path in PUBLISHED.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("\tMel-LCNN\t", "\tMelody\t"))

    with pytest.raises(PublishedError, match="detector 'Melody' has no name of ours; add it to mapping.yaml"):
        Published(tmp_path).error_rates("xie2025_table5")


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    for path in PUBLISHED.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("\tcondition\t", "\twhere\t"))

    with pytest.raises(PublishedError, match="xie2025_table5.tsv: no column 'condition'; such a table has table,"):
        Published(tmp_path).error_rates("xie2025_table5")
