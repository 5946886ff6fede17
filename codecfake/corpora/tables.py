"""Tables and lists of corpora, read as text from outside; their faults are faults of the corpus."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codecfake.base import text_files, text_tables
from codecfake.base.text_files import Line, TextError
from codecfake.base.text_tables import BARS, BLANKS, COMMAS, SEMICOLONS, TABS, Row
from codecfake.corpora.listing import CorpusError

# The usual one comes first: spreadsheets write semicolons into .csv in many countries, MLAAD has bars.
DELIMITERS = {
    ".csv": (COMMAS, SEMICOLONS, TABS, BARS),
    ".tsv": (TABS, COMMAS, SEMICOLONS, BARS),
    ".txt": (TABS, COMMAS, SEMICOLONS, BARS, BLANKS),
}


def rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table with at least these columns. Raises CorpusError where `text_tables.rows` raises TextError."""
    if path.suffix.lower() not in DELIMITERS:
        raise CorpusError(f"{path}: a table must be named .csv (commas) or .tsv or .txt (tabs); rename or convert it")
    if not path.is_file():
        raise CorpusError(f"{path}: no such table; put it there, or name another one in the corpus's options")
    with _of_corpus():
        yield from text_tables.rows(path, DELIMITERS[path.suffix.lower()], columns)


def lines(path: Path) -> Iterator[Line]:
    """The lines of a list that are not blank. Raises CorpusError where `text_files.lines` raises TextError."""
    with _of_corpus():
        yield from text_files.lines(path)


def transcript(path: Path) -> str | None:
    """The words of a transcript file, on one line; None for a missing or empty file."""
    if not path.exists():
        return None
    with _of_corpus():
        return " ".join(text_files.read(path).split()) or None


@contextmanager
def _of_corpus() -> Iterator[None]:
    try:
        yield
    except TextError as error:
        raise CorpusError(str(error)) from error
