"""The lines of a text file and their cells.

Columns are separated by tabs, commas, vertical bars or spaces. Only cells between commas may be quoted, as in CSV.
"""

import csv
from pathlib import Path

DELIMITERS = {"tabs": "\t", "commas": ",", "bars": "|", "spaces": None}  # spaces last: any line has some


class CellError(ValueError):
    """A line cannot be divided into cells."""


class TextError(ValueError):
    """A file is not text."""


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not blank, with their numbers; without a byte order mark and Windows line ends.

    Raises TextError if the file is not UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"{path}: byte {error.start} is not UTF-8 text; scores are text: convert it") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [(place, line) for place, line in enumerate(text.split("\n"), start=1) if line and not line.isspace()]


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line, without the blanks around them. Raises CellError if a quote is not closed."""
    separator = DELIMITERS[delimiter]
    if separator is None:
        return line.split()
    if separator == "," and '"' in line:
        return [cell.strip() for cell in _quoted(line)]
    return [cell.strip() for cell in line.split(separator)]


def _quoted(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True, skipinitialspace=True))
    except csv.Error as error:
        text = "a quote is not closed on its line, or text follows it (a cell must not contain line breaks)"
        raise CellError(f"{text}: {line[:60]!r}") from error
