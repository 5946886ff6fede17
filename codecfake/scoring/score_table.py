"""A score file written row by row: `trial_id` and `score` between tabs, as conditions have them and `verify` reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from codecfake.base import files
from codecfake.scoring.score_store import SCORE

SUFFIX = ".tsv"


class ScoreTableError(ValueError):
    """The score file cannot be written as asked."""


@dataclass
class ScoreTable:
    file: TextIO
    num_rows: int = 0

    def add(self, trial_id: str, score: float) -> None:
        self.file.write(f"{trial_id}\t{SCORE(score)}\n")
        self.num_rows += 1


def require_possible(path: Path, recordings: list[Path], option: str = "--output") -> None:
    """Raise ScoreTableError before the first file is scored if `path` cannot be a score file."""
    if path.suffix != SUFFIX:
        raise ScoreTableError(f"{path}: {option} is a table with tabs; give it a name that ends in {SUFFIX}")
    if path.is_dir():
        raise ScoreTableError(f"{path}: this is a folder; name a file in it, such as {path / 'scores.tsv'}")
    if path.exists() and any(path.resolve() == recording.resolve() for recording in recordings):
        raise ScoreTableError(f"{path}: {option} would overwrite this recording; choose another name")


@contextmanager
def score_table(path: Path) -> Iterator[ScoreTable]:
    """A table that gets its name and its seal when the block ends; if it ends early, there is no file.

    Raises ScoreTableError if no row was added.
    """
    with files.sealed(path) as part:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write("trial_id\tscore\n")
            table = ScoreTable(file)
            yield table
        if table.num_rows == 0:
            raise ScoreTableError(f"{path}: not written, since no file has a score; the reasons are above")
