"""Scores of the segments of audio files, written file by file: `trial_id`, `start`, `end` (seconds) and `score`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from codecfake.base import files
from codecfake.scoring import reading
from codecfake.scoring.conditions import ScoringError
from codecfake.scoring.reading import Failure, Waveform
from codecfake.scoring.score_table import ScoreTableError
from codecfake.scoring.segments import OF_SEGMENT, Segmenter


@dataclass
class SegmentTable:
    file: TextIO
    segmenter: Segmenter
    num_rows: int = 0

    def passing(self, readings: Iterable[Waveform | Failure], names: Iterable[str]) -> Iterator[Waveform | Failure]:
        """The readings; the segments of each are written on the way. A file without finite scores is a failure."""
        for each, name in zip(readings, names, strict=True):
            yield each if isinstance(each, Failure) else self._add(each, name)

    def _add(self, waveform: Waveform, name: str) -> Waveform | Failure:
        try:
            rows = ["\t".join((name, *segment.cells())) for segment in self.segmenter(waveform)]
        except (ScoringError, RuntimeError, MemoryError) as error:
            return reading.failure(waveform.path, error)
        self.file.writelines(f"{row}\n" for row in rows)
        self.num_rows += len(rows)
        return waveform


@contextmanager
def segment_table(path: Path, segmenter: Segmenter) -> Iterator[SegmentTable]:
    """A table that gets its name and its seal when the block ends; if it ends early, there is no file.

    Raises ScoreTableError if no row was added.
    """
    with files.sealed(path) as part:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(("trial_id", *OF_SEGMENT)) + "\n")
            table = SegmentTable(file, segmenter)
            yield table
        if table.num_rows == 0:
            raise ScoreTableError(f"{path}: not written, since no file has a score; the reasons are above")
