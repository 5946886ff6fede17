"""Tables in text files: one row a line, with cells between commas, semicolons, tabs, bars or blanks.

Commas and semicolons have quoting: `"a, ""b"", c"` is the cell `a, "b", c`. Tabs, bars and blanks have none: there a
quotation mark is a letter. No cell holds a line break, so an unclosed quotation mark never hides the lines below it.

- `rows(path, delimiters, columns)` reads a table with a header.
- Readers of other forms take the lines that are not blank, `for line in text_files.lines(path)`, and split each with
  `cells(line.text, delimiter)`. A CellError has no place in its message: record it with `line.number`, or add
  `f"{path}:{line.number}: "`.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codecfake.base import text_files
from codecfake.base.text_files import TextError

COMMAS, SEMICOLONS, TABS, BARS, BLANKS = ",", ";", "\t", "|", " "
QUOTED = (COMMAS, SEMICOLONS)
BLANK = re.compile(r"[ \t]+")
REMEDIES = {
    COMMAS: "quote cells that contain commas",
    SEMICOLONS: "quote cells that contain semicolons",
    TABS: "a cell must not contain tabs or line breaks",
    BARS: "a cell must not contain bars or line breaks",
    BLANKS: "a cell must not contain blanks; use a table with commas or tabs",
}


class CellError(ValueError):
    """A line cannot be split into cells."""


@dataclass(frozen=True)
class Row:
    """A row's cells by column, without the blanks around them, and its place (`file:line`) for messages."""

    cells: dict[str, str]
    where: str


def rows(path: Path, delimiters: Sequence[str], columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table with a header that has at least `columns`; rows with only blank cells are left out.

    The first of `delimiters` that gives these columns is used. Raises TextError naming file and line if a column is
    missing or repeated, if a row has fewer or more cells than the header, and as `text_files.read`.
    """
    lines = text_files.lines(path)
    header = next(lines, None)
    if header is None:
        raise TextError(f"{path}: the file is empty; its first line must name the columns {', '.join(columns)}")
    delimiter, names = _header(f"{path}:{header.number}", header.text, delimiters, columns)
    for line in lines:
        where = f"{path}:{line.number}"
        row = _cells(where, line.text, delimiter)
        if not any(row):
            continue
        if len(row) != len(names):
            raise TextError(
                f"{where}: the number of cells differs from the header ({len(row)} instead of {len(names)}); "
                f"{REMEDIES[delimiter]}"
            )
        yield Row({name: cell for name, cell in zip(names, row, strict=True) if name}, where)


def cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line as they are written; blanks also split at tabs, and several of them split once.

    Raises CellError for a quotation mark that is not closed on the line, or closed within a cell.
    """
    if delimiter == BLANKS:
        return BLANK.split(line.strip(" \t"))
    if delimiter not in QUOTED:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise CellError(
            f"{line[:60]!r}: a cell begins with a quotation mark that is not closed at its end ({error}); close it, or "
            f"double the marks within a quoted cell; a cell must not contain line breaks"
        ) from error


def _cells(where: str, line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in cells(line, delimiter)]
    except CellError as error:
        raise TextError(f"{where}: {error}") from error


def _header(where: str, line: str, delimiters: Sequence[str], columns: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns."""
    for delimiter in delimiters:
        names = _names(line, delimiter)
        if set(columns) <= set(names):
            _check_unique(where, names)
            return delimiter, names
    likely = max(delimiters, key=lambda delimiter: len({*columns}.intersection(_names(line, delimiter))))
    names = _cells(where, line, likely)
    absent = next(column for column in columns if column not in names)
    quotes = "; tables with tabs are written without quotation marks" if f'"{absent}"' in names else ""
    raise TextError(f"{where}: no column {absent!r}; the header's columns are {', '.join(names)}{quotes}")


def _names(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in cells(line, delimiter)]
    except CellError:
        return []  # another delimiter may do


def _check_unique(where: str, names: Sequence[str]) -> None:
    """A column without a name is left out, so there may be several."""
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise TextError(f"{where}: column {repeated[0]!r} is there twice; rename or remove one")
