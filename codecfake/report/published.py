"""The papers' tables with our numbers next to theirs, from `codecfake.tables.papers`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from codecfake.base import files
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel
from codecfake.tables.published import LABELS, OURS

COUNTED = ["ours", "published", "difference"]  # columns of a table of counts


@dataclass(frozen=True)
class PaperCell:
    """One cell; unknown values are ""."""

    ours: str
    published: str
    difference: str


@dataclass(frozen=True)
class PaperRow:
    labels: tuple[str, ...]
    random_front_end: bool  # of ours
    cells: list[PaperCell | None]  # None where the paper has no such cell


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper; `columns` is empty where it counts trials, one cell a row."""

    caption: str
    labels: list[str]  # headings of the labels
    columns: list[str]
    rows: list[PaperRow]
    notes: list[str]

    @property
    def num_cells(self) -> int:
        return sum(cell is not None for row in self.rows for cell in row.cells)

    @property
    def num_ours(self) -> int:
        return sum(cell is not None and cell.ours != "" for row in self.rows for cell in row.cells)


def paper_tables(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[PaperTable]:
    """The papers' tables. Raises ReportError if one was not written."""
    random = {t.model.group for t in trained_models if t.has_random_front_end}
    return [_table(inputs.results / f"tables/{name}.csv", caption, random) for name, caption in inputs.papers.items()]


def _table(path: Path, caption: str, random: set[str]) -> PaperTable:
    if not path.exists():
        raise ReportError(f"{path}: no such table; write the tables again, or leave it out of papers")
    cells = files.read_csv(path, dtype=str, keep_default_na=False)
    if set(COUNTED) <= set(cells):
        return _counts(cells, caption)
    columns = list(dict.fromkeys(cells["condition"]))
    varying = [label for label in LABELS[:-1] if cells[label].nunique() > 1 or label == "detector"]
    return PaperTable(caption, varying, columns, list(_rows(cells, varying, columns, random)), list(_notes(cells)))


def _counts(cells: pd.DataFrame, caption: str) -> PaperTable:
    labels = [column for column in cells if column not in COUNTED]
    cells["difference"] = cells["difference"].str.replace("-", "−")
    rows = [PaperRow(tuple(row[labels]), False, [PaperCell(*row[COUNTED])]) for _, row in cells.iterrows()]
    return PaperTable(caption, labels, [], rows, [])


def _rows(cells: pd.DataFrame, varying: list[str], columns: list[str], random: set[str]) -> Iterator[PaperRow]:
    decimals = cells["published_percent"].map(lambda text: len(text.partition(".")[2])).max()
    for _, row in cells.groupby(LABELS[:-1], sort=False):
        first = row.iloc[0]
        by_condition = {cell["condition"]: _cell(cell, decimals) for _, cell in row.iterrows()}
        is_random = "/".join(first[OURS[:3]]) in random
        yield PaperRow(tuple(first[varying]), is_random, [by_condition.get(name) for name in columns])


def _cell(cell: pd.Series, decimals: int) -> PaperCell:
    ours, difference = cell["eer_percent"], cell["difference_percent_points"]
    return PaperCell(
        f"{float(ours):.{decimals}f}" if ours else "",
        cell["published_percent"],
        f"{float(difference):+.{decimals}f}".replace("-", "−") if difference else "",
    )


def _notes(cells: pd.DataFrame) -> Iterator[str]:
    """Notes on our numbers, then on the printed ones."""
    yield from (f"Our numbers: {note}." for note in cells["note"].unique() if note)
    for _, cell in cells[cells["published_note"] != ""].iterrows():
        yield f"{' '.join(filter(None, cell[LABELS]))}: {cell['published_note']}."
