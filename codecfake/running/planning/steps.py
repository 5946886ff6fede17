"""A step of the workflow as the plan has it: a rule with its jobs, and what they take and leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Outputs = tuple[str, ...]  # of one job, relative to the run directory


@dataclass(frozen=True)
class Step:
    """All jobs of a rule. Hours of audio count every pass over it; None where nothing is known of the time."""

    stage: str
    rule: str
    jobs: tuple[Outputs, ...]
    audio_hours_in: float = 0.0
    audio_hours_out: float = 0.0
    gpu_hours: float | None = 0.0
    cpu_hours: float | None = 0.0  # of one core; where the network runs on a GPU, what helps it is not counted
    bytes_in: float = 0.0
    bytes_out: float = 0.0  # what stays
    other_files: int = 0  # that stay, beside the outputs
    passing_bytes: float = 0.0  # of one job, while it runs

    @property
    def files(self) -> int:
        return sum(map(len, self.jobs)) + self.other_files

    def left(self, root: Path, wanted: frozenset[str] | None = None) -> "Left":
        """What is still to be written: by the jobs that make a `wanted` output (None: any), less what is there."""
        jobs = [job for job in self.jobs if wanted is None or wanted.intersection(job)]
        unmade = [job for job in jobs if wanted is not None or not all((root / path).exists() for path in job)]
        share = len(unmade) / len(self.jobs) if self.jobs else float(wanted is None)
        there = sum(size(root / path) for job in unmade for path in job)
        return Left(max(0.0, float(self.bytes_out * share - there)), round(self.files * share))


@dataclass(frozen=True)
class Left:
    """What is still to be written to the disk."""

    num_bytes: float
    files: int

    def __add__(self, other: "Left") -> "Left":
        return Left(self.num_bytes + other.num_bytes, self.files + other.files)


def total(lefts: Iterable[Left]) -> Left:
    return sum(lefts, Left(0.0, 0))


def size(path: Path) -> int:
    """Bytes of a file; 0 if it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
