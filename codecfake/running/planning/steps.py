"""A step of the workflow in numbers: a rule with its jobs, their cost, and what they still have to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

HOUR, MB = 3600.0, 1e6
Outputs = tuple[str, ...]  # of one job, relative to the run directory


def add(numbers: Iterable[float]) -> float:
    """The sum of the known numbers; NaN if all are unknown, 0 without numbers."""
    numbers = list(numbers)
    finite = [number for number in numbers if not isnan(number)]
    return float(sum(finite)) if finite or not numbers else nan


def most(numbers: Iterable[float]) -> float:
    """The largest known number; NaN if all are unknown."""
    return float(max((number for number in numbers if not isnan(number)), default=nan))


@dataclass(frozen=True)
class Step:
    """All jobs of a rule. Hours of audio count every pass over it. NaN is unknown."""

    stage: str
    rule: str
    jobs: tuple[Outputs, ...]
    audio_hours_in: float = 0.0
    audio_hours_out: float = 0.0
    gpu_hours: float = 0.0
    cpu_hours: float = 0.0  # of one core; beside a network on a GPU, helper threads are not counted
    bytes_in: float = 0.0
    bytes_out: float = 0.0  # without temporary files
    other_files: int = 0  # permanent ones beside the outputs
    passing_bytes: float = 0.0  # temporary files of one job

    @property
    def files(self) -> int:
        return sum(map(len, self.jobs)) + self.other_files

    def to_write(self, root: Path, outputs: frozenset[str] | None = None) -> "Room":
        """The disk space that jobs for any of `outputs` (None: for any missing output) will add."""
        jobs = [job for job in self.jobs if outputs is None or outputs.intersection(job)]
        unmade = [job for job in jobs if outputs is not None or not all((root / path).exists() for path in job)]
        share = len(unmade) / len(self.jobs) if self.jobs else float(outputs is None)
        there = sum(size(root / path) for job in unmade for path in job)
        num_bytes = self.bytes_out * share - there
        return Room(num_bytes if isnan(num_bytes) else max(0.0, num_bytes), round(self.files * share))


@dataclass(frozen=True)
class Room:
    """Bytes and files on a disk."""

    num_bytes: float
    files: int


def total(rooms: Iterable[Room]) -> Room:
    """The sum over the known values."""
    rooms = list(rooms)
    return Room(add([0.0, *(room.num_bytes for room in rooms)]), sum(room.files for room in rooms))


def size(path: Path) -> int:
    """Bytes of a file; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
