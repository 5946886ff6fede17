"""The papers' own tables as data (`protocols/published/`), and the model and condition of ours for each cell.

Values are text, as printed; an ambiguous cell is empty, and its note says why. Cells are matched with ours only by the
names in `mapping.yaml`, so experiments with other data can match too; `is_of_paper` tells whether the data are the
paper's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from codecfake.base import files

LABELS = ["detector", "training", "strategy", "test", "condition"]  # labels of a cell, as printed
OURS = ["our_detector", "our_training_set", "our_strategy", "our_condition"]  # the same in our names
COLUMNS = ["table", *LABELS, "value", "section", "note"]


class PublishedError(ValueError):
    """The papers' numbers or their mapping to ours cannot be read."""


@dataclass(frozen=True)
class PublishedTable:
    """A table of error rates in percent."""

    name: str  # `xie2025_table5`
    paper: str
    place: str  # `Table V`
    caption: str
    decimals: int  # as printed
    cells: pd.DataFrame  # `COLUMNS` and `OURS`; text, a row per cell, in printed order
    averages: dict[str, list[str]]  # printed column -> the printed columns that it averages

    @cached_property
    def single(self) -> pd.DataFrame:
        """The cells that are not averages."""
        return self.cells[~self.cells["condition"].isin(self.averages)]

    def members(self, cell: pd.Series) -> pd.DataFrame:
        """The cells of the same row that an average is the mean of; for any other cell, the cell itself."""
        row = self.cells[(self.cells[LABELS[:-1]] == cell[LABELS[:-1]]).all(axis=1)]
        return row[row["condition"].isin(self.averages.get(cell["condition"], [cell["condition"]]))]


@dataclass(frozen=True)
class CountTable:
    """A table of utterances and speakers."""

    name: str
    paper: str
    place: str
    caption: str
    labels: list[str]  # the columns of `cells` that name a cell
    cells: pd.DataFrame  # text, as printed; `our_protocol`, `our_key` and `our_count` are "" if we have no such count


class Published:
    """The tables in a folder. Raises PublishedError if a table lacks a column, or the mapping lacks a name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (folder / "mapping.yaml").open(encoding="utf-8") as file:
            self._mapping: dict[str, Any] = yaml.safe_load(file)

    @property
    def baselines(self) -> list[str]:
        """Our names of training sets without codec fakes."""
        return list(self._mapping["baselines"])

    @property
    def names(self) -> list[str]:
        return [*self._mapping["tables"], *self._mapping["counts"]]

    def matching(self, models: Collection[str], conditions: Collection[str]) -> list[str]:
        """The tables of error rates with a cell for one of our models under one of our conditions.

        `models` are `{detector}/{training set}/{strategy}/seed{n}`.
        """
        groups = {tuple(model.split("/")[:3]) for model in models}
        return [name for name in self._mapping["tables"] if self._answers(self.error_rates(name), groups, conditions)]

    def is_of_paper(self, name: str, title: str) -> bool:
        """Whether the experiment with this title uses the paper's data and sizes."""
        return title in self._paper(name)["experiments"]

    def counts_of(self, title: str) -> list[str]:
        """The tables of counts of the paper that the experiment with this title repeats; others are not comparable."""
        return [name for name in self._mapping["counts"] if self.is_of_paper(name, title)]

    def error_rates(self, name: str) -> PublishedTable:
        """A table of error rates."""
        about, paper = self._mapping["tables"][name], self._paper(name)
        cells = self._read(name, COLUMNS)
        for column, ours, names in (
            ("detector", "our_detector", paper["detectors"]),
            ("training", "our_training_set", paper["training"]),
            ("strategy", "our_strategy", paper["strategies"]),
        ):
            cells[ours] = [self._ours(name, column, printed, names) for printed in cells[column]]
        cells["our_condition"] = [
            paper["conditions"].get(f"{test} {condition}".strip(), condition)
            for test, condition in zip(cells["test"], cells["condition"], strict=True)
        ]
        return PublishedTable(
            name, paper["name"], about["place"], about["caption"], about["decimals"], cells, about["averages"]
        )

    def counts(self, name: str) -> CountTable:
        """A table of counts."""
        about, labels = self._mapping["counts"][name], self._mapping["counts"][name]["labels"]
        cells = self._read(name, ["table", *labels, "value", "section", "note"])
        references = [about["cells"].get(", ".join(row), ["", "", ""]) for row in cells[labels].itertuples(index=False)]
        cells[["our_protocol", "our_key", "our_count"]] = references
        return CountTable(name, self._paper(name)["name"], about["place"], about["caption"], labels, cells)

    def _answers(self, table: PublishedTable, groups: set[tuple[str, ...]], conditions: Collection[str]) -> bool:
        rows = table.single[OURS].itertuples(index=False)
        return any(tuple(row[:3]) in groups and row[3] in conditions for row in rows)

    def _paper(self, name: str) -> dict[str, Any]:
        return self._mapping["papers"][name.split("_")[0]]

    def _read(self, name: str, columns: list[str]) -> pd.DataFrame:
        path = self.folder / f"{name}.tsv"
        table = files.read_tsv(path)
        missing = [column for column in columns if column not in table]
        if missing:
            raise PublishedError(f"{path}: no column {missing[0]!r}; such a table has {', '.join(columns)}")
        return table

    def _ours(self, name: str, column: str, printed: str, names: dict[str, str]) -> str:
        if printed not in names:
            raise PublishedError(
                f"{self.folder / name}.tsv: {column} {printed!r} has no name of ours; add it to mapping.yaml"
            )
        return names[printed]


def wrong_averages(table: PublishedTable) -> list[str]:
    """The averages that differ from the mean of their cells by more than rounding explains."""
    unit = Decimal(1).scaleb(-table.decimals)
    wrong = []
    for _, cell in table.cells[table.cells["condition"].isin(table.averages)].iterrows():
        values = [Decimal(value) for value in table.members(cell)["value"]]
        mean = sum(values, Decimal(0)) / len(values)
        if not -unit / 2 <= Decimal(cell["value"]) - mean <= unit / 2:
            wrong.append(f"{' '.join(cell[LABELS]).strip()}: printed {cell['value']}, mean {mean:.5f}")
    return wrong
