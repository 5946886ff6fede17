"""Every published number is what the papers' text prints, cell by cell, where the papers lie in ../shared."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from places import PUBLISHED

from codecfake.base import files

SUBSETS = ["A", "B1", "B2", "B3", "C", "D1", "D2", "D3", "E", "F1", "F2", "F3", "F4", "F5", "F6"]
MODELS = ["AASIST", "AASIST-L", *SUBSETS]
# (detector, training, strategy, test, condition) -> what is printed
Cells = dict[tuple[str, ...], str]


@pytest.fixture(scope="module")
def papers(shared: Path) -> dict[str, list[str]]:
    """Paper -> the lines of its text, without marks of bold print."""
    if not (shared / "papers").is_dir():
        pytest.skip(f"needs the papers' text in {shared / 'papers'}")
    return {
        path.stem: re.sub("</?b>", "", path.read_text(encoding="utf-8")).split("\n")
        for path in (shared / "papers").glob("*.txt")
    }


def after(lines: list[str], start: str) -> list[list[str]]:
    """The rows of a table by columns: from the first line with a tab after `start` down to the next empty one."""
    first = lines.index(start)
    while "\t" not in lines[first]:
        first += 1
    last = lines.index("", first)
    return [[field.strip() for field in line.split("\t")] for line in lines[first:last]]


def by_condition(training: str) -> Callable[[list[list[str]]], Cells]:
    """Reads a table of a row a detector (its strategy in brackets) and a column a condition."""

    def read(rows: list[list[str]]) -> Cells:
        cells: Cells = {}
        for name, *values in rows[1:]:
            detector, _, strategy = name.rstrip(")").partition("(")
            for condition, value in zip(rows[0][1:], values, strict=True):
                cells[detector, training, strategy or "ERM", "", condition] = value
        return cells

    return read


def by_language(rows: list[list[str]]) -> Cells:
    return {
        ("W2V2-AASIST", training, "ERM", test, condition): value
        for training, test, *values in rows[1:]
        for condition, value in zip(rows[0][2:], values, strict=True)
    }


def of_language_models(rows: list[list[str]]) -> Cells:
    """Table IX: four columns of the vocoder-trained model, then four of the codec-trained."""
    trained = ["Vocoder-trained"] * 4 + ["Codec-trained"] * 4
    return {
        (detector, training, "ERM", "", condition): value
        for detector, *values in rows[2:]
        for training, condition, value in zip(trained, rows[1][1:], values, strict=True)
    }


XIE = {
    "xie2025_table5": ("TABLE V  ", by_condition("19LA")),
    "xie2025_table6": ("TABLE VI  ", by_condition("Codecfake")),
    "xie2025_table7": ("TABLE VII", by_condition("Codecfake")),
    "xie2025_table8": ("TABLE VIII", by_language),
    "xie2025_table9": ("TABLE IX", of_language_models),
    "xie2025_table10": ("TABLE X  ", by_condition("19LA + Codecfake")),
}


def stored_cells(name: str) -> Cells:
    table = files.read_tsv(PUBLISHED / f"{name}.tsv")
    labels = table[["detector", "training", "strategy", "test", "condition"]].itertuples(index=False, name=None)
    return dict(zip(labels, table["value"], strict=True))


def trained_on(model: str) -> tuple[str, str]:
    """Detector and training set of a row or column of Wu et al.'s, whose baselines are named by their detectors."""
    return (model, "ASVspoof") if model.startswith("AASIST") else ("AASIST-L", model)


@pytest.mark.parametrize("name", XIE)
def test_error_rates_of_xie_are_those_in_the_text(papers: dict[str, list[str]], name: str) -> None:
    title, read = XIE[name]

    assert stored_cells(name) == read(after(papers["xie2025"], title))


def test_counts_of_xie_are_those_in_the_text(papers: dict[str, list[str]]) -> None:
    rows = after(papers["xie2025"], "TABLE IV  ")
    printed = {
        (subset, column.casefold()): value
        for subset, *values in rows[1:]
        for column, value in zip(rows[0][1:], values, strict=True)
    }

    table = files.read_tsv(PUBLISHED / "xie2025_table4.tsv")

    assert dict(zip(zip(table["subset"], table["column"], strict=True), table["value"], strict=True)) == printed


def test_error_rates_of_wu_on_speech_synthesis_are_those_in_the_text(papers: dict[str, list[str]]) -> None:
    lines = papers["wu2024"]
    first = next(number for number, line in enumerate(lines) if line.startswith("VALL-E*"))
    printed: Cells = {}
    for condition, line in zip(("VALL-E", "VALL-E X", "SpeechX"), lines[first:], strict=False):
        for model, value in zip(MODELS, line.split("\t")[1:], strict=True):
            printed[(*trained_on(model), "ERM", "", condition)] = value.strip()

    assert stored_cells("wu2024_table3") == printed


def test_error_rates_of_wu_between_codecs_are_those_in_the_text_but_one_that_is_doubtful(
    papers: dict[str, list[str]],
) -> None:
    lines = papers["wu2024"]
    first = next(number for number, line in enumerate(lines) if line.endswith("\tF6\t_\t_")) + 1
    printed: Cells = {}
    for model, line in zip(MODELS, lines[first:], strict=False):
        for condition, value in zip(SUBSETS, re.findall(r"\d+\.\d\d", line)[:15], strict=True):
            printed[(*trained_on(model), "ERM", "", condition)] = value

    doubtful = ("AASIST-L", "ASVspoof", "ERM", "", "D1")

    # errors among 755 and 755 trials give 50.00 or 50.07
    assert printed.pop(doubtful) == "50.01"
    assert stored_cells("wu2024_figure2") == {**printed, doubtful: ""}


def test_counts_of_wu_are_those_in_the_text(papers: dict[str, list[str]]) -> None:
    lines = papers["wu2024"]
    first = lines.index(next(line for line in lines if line.startswith("CodecFake\tVCTK")))
    table = files.read_tsv(PUBLISHED / "wu2024_table2.tsv").set_index(["data", "split", "count"])["value"]

    for line in [*lines[first : first + 2], *lines[first + 3 : first + 7]]:
        data, _, *cells = line.split("\t")
        for split, cell in zip(("Training", "Validation", "Testing"), cells, strict=False):
            utterances, _, speakers = (part.strip() for part in cell.partition("/")) if cell != "N/A" else (cell,) * 3
            assert (table[data, split, "utterances"], table[data, split, "speakers"]) == (utterances, speakers)
    assert len(table) == 6 * 3 * 2
