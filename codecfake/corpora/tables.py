"""Tables of corpora: comma- or tab-separated, with a header."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codecfake.corpora.listing import CorpusError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


@dataclass(frozen=True)
class Row:
    """A row's cells by column, stripped, and its place (`file:line`) for messages."""

    cells: dict[str, str]
    where: str


def rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table with at least the `required` columns.

    Raises CorpusError if a column is missing, or if a row has fewer or more cells than the header.
    """
    delimiter = _delimiter(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        _check_columns(path, list(reader.fieldnames or ()), columns)
        for cells in reader:
            where = f"{path}:{reader.line_num}"
            if None in cells or None in cells.values():
                raise CorpusError(
                    f"{where}: the number of cells differs from the header; quote cells that contain separators"
                )
            yield Row({column: cell.strip() for column, cell in cells.items()}, where)


def _delimiter(path: Path) -> str:
    if path.suffix.lower() not in DELIMITERS:
        raise CorpusError(f"{path}: a table must be named .csv (commas) or .tsv or .txt (tabs); rename or convert it")
    if not path.is_file():
        raise CorpusError(f"{path}: no such table; put it there, or name another one in the corpus's options")
    return DELIMITERS[path.suffix.lower()]


def _check_columns(path: Path, columns: list[str], names: tuple[str, ...]) -> None:
    absent = [column for column in names if column not in columns]
    if absent:
        raise CorpusError(f"{path}: no column {absent[0]!r}; the header's columns are {', '.join(columns) or 'none'}")
