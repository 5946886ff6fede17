"""Printed error rates as a table of cells, and the folder of scores that each cell belongs to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path

import yaml

from codecfake.base import files, text_tables
from codecfake.base.text_files import TextError
from codecfake.base.text_tables import TABS, Row
from codecfake.verification.reading import VerificationError

LABELS = ("model", "detector", "training", "training_set", "strategy", "test")
VALUES = ("eer_percent", "value", "eer", "printed")
AVERAGES = ("avg", "average", "mean", "macro")
SYNONYMS = {"l1": "a1", "l2": "a2", "l3": "a3"}  # Codecfake's released scores say L1 where its paper says A1
USUAL = "erm"  # the strategy that folder names may omit
PERCENTAGE = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Cell:
    """One printed number."""

    table: str
    labels: tuple[tuple[str, str], ...]  # column and value, without empty ones
    condition: str
    printed: str  # with all its decimals
    our_labels: tuple[tuple[str, str], ...] = ()  # the same with the names of our experiments, where known
    members: tuple[str, ...] = ()  # of an average with known conditions

    @property
    def model(self) -> str:
        return ", ".join(value for _, value in self.labels)

    @property
    def is_average(self) -> bool:
        return bool(self.members) or bare_name(self.condition) in AVERAGES

    def is_mean_of(self, other: "Cell") -> bool:
        """Whether a cell of its row is part of this average: one of its members, or any cell that is not an average."""
        return other.condition in self.members if self.members else not other.is_average


def read_cells(path: Path) -> list[Cell]:
    """Cells of a TSV: `condition`, one of `VALUES`, any of `LABELS`, `table`, `decimals`; empty ones are left out.

    Our names of detectors and training sets, and the members of averages, are read from a `mapping.yaml` in the same
    folder, as in `protocols/published`.

    Raises VerificationError if a column is missing, or a value is not a percentage.
    """
    rows = _rows(path)
    columns = rows[0].cells
    value_column = next((name for name in VALUES if name in columns), None)
    if value_column is None or "condition" not in columns:
        raise VerificationError(
            f"{path}: columns are {', '.join(columns)}; published numbers need 'condition' and one of "
            f"{', '.join(VALUES)} (tab-separated, with a header)"
        )
    mapping = _read_mapping(path)
    return [_cell(row.cells, value_column, mapping, row.where) for row in rows if row.cells[value_column]]


def read_folders(path: Path) -> dict[str, dict[str, str]]:
    """The published table's name for each folder: a TSV with `folder` and any of `LABELS`.

    Raises VerificationError if there is no column `folder`.
    """
    folders: dict[str, dict[str, str]] = {}
    for row in _rows(path):
        if "folder" not in row.cells:
            raise VerificationError(
                f"{path}: no column 'folder'; it names the folder of scores, other columns its labels"
            )
        if row.cells["folder"] in folders:
            raise VerificationError(f"{row.where}: folder {row.cells['folder']!r} is listed twice; remove one row")
        folders[row.cells["folder"]] = {name: row.cells[name] for name in LABELS if row.cells.get(name)}
    return folders


def is_about(cell: Cell, folder: str, folders: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a cell is about the scores in `folder`, by `folders` or by the folder's name.

    A name matches if it contains the cell's labels, as parts of its path or joined: `W2V2-AASIST/codecfake/erm/seed0`
    and `codecfake_w2v2aasist` both mean detector W2V2-AASIST and training set Codecfake; with our name of that
    training set, so does `codec_w2v2aasist`.
    """
    return any(_is_about(labels, folder, folders) for labels in (cell.labels, cell.our_labels) if labels)


def _is_about(cell_labels: tuple[tuple[str, str], ...], folder: str, folders: Mapping[str, Mapping[str, str]]) -> bool:
    if folder in folders:
        folder_labels = folders[folder]
        expected = [
            (column, value) for column, value in cell_labels if column in folder_labels or bare_name(value) != USUAL
        ]
        return all(folder_labels.get(column) == value for column, value in expected)
    parts = [bare_name(part) for part in folder.split("/") if not re.fullmatch(r"seed\d+", part)]
    labels = [bare_name(value) for _, value in cell_labels]
    return any(_same_parts(parts, candidates) for candidates in (labels, [label for label in labels if label != USUAL]))


def bare_name(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def condition_key(name: str) -> str:
    """A key that is the same for all spellings of a condition."""
    return SYNONYMS.get(bare_name(name), bare_name(name))


def _same_parts(parts: list[str], labels: list[str]) -> bool:
    return set(parts) == set(labels) or "".join(parts) in {"".join(order) for order in permutations(labels)}


def _rows(path: Path) -> list[Row]:
    """The rows of a tab-separated table with at least one row."""
    files.require_seal(path)
    try:
        rows = list(text_tables.rows(path, (TABS,), ()))
    except TextError as error:
        raise VerificationError(str(error)) from error
    if not rows:
        raise VerificationError(f"{path}: no rows below the header; write one row per number or folder")
    return rows


@dataclass(frozen=True)
class _Mapping:
    """The mapping of one table."""

    ours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column -> printed name -> ours
    averages: Mapping[str, list[str]] = field(default_factory=dict)  # average -> its conditions


def _read_mapping(path: Path) -> _Mapping:
    """The mapping of a table whose name begins with its paper's, such as `xie2025_table5.tsv`."""
    if not path.with_name("mapping.yaml").is_file():
        return _Mapping()
    mapping = yaml.safe_load(path.with_name("mapping.yaml").read_text(encoding="utf-8"))
    paper = mapping["papers"].get(path.stem.partition("_")[0], {})
    columns = {"detector": "detectors", "training": "training", "strategy": "strategies"}
    ours = {column: paper[name] for column, name in columns.items() if name in paper}
    return _Mapping(ours, mapping["tables"].get(path.stem, {}).get("averages", {}))


def _cell(row: Mapping[str, str], value_column: str, mapping: _Mapping, place: str) -> Cell:
    printed = row[value_column].strip().removesuffix("%").strip()
    if not PERCENTAGE.fullmatch(printed) or float(printed) > 100:
        raise VerificationError(f"{place}: {printed!r} is not a percentage; write it as printed (2.740) or not at all")
    whole, _, fraction = printed.partition(".")
    fraction = fraction.ljust(int(row.get("decimals") or 0), "0")
    labels = tuple((name, row[name]) for name in LABELS if row.get(name))
    ours = tuple((name, mapping.ours.get(name, {}).get(value, value)) for name, value in labels)
    members = tuple(mapping.averages.get(row["condition"], ()))
    printed = f"{whole}.{fraction}" if fraction else whole
    return Cell(row.get("table", ""), labels, row["condition"], printed, ours if mapping.ours else (), members)
