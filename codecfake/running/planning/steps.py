"""A step of the workflow in numbers: the jobs of a rule, their cost, and what they still have to write."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import isnan
from pathlib import Path
from typing import Any

Outputs = tuple[str, ...]  # of one job, relative to the run directory


@dataclass(frozen=True)
class Amount:
    """A number that may lack an unknown part: `least` is then the sum of the other parts."""

    least: float = 0.0
    is_complete: bool = True

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.least + other.least, self.is_complete and other.is_complete)

    def __mul__(self, factor: float) -> "Amount":
        return Amount(0.0, False) if isnan(factor) else Amount(self.least * factor, self.is_complete)

    def __truediv__(self, divisor: float) -> "Amount":
        return self * (1 / divisor)

    @property
    def value(self) -> float | None:
        """None if no part is known."""
        return self.least if self.least or self.is_complete else None


def amount(*numbers: float) -> Amount:
    """The sum of numbers, of which NaN is unknown."""
    finite = [number for number in numbers if not isnan(number)]
    return Amount(float(sum(finite)), len(finite) == len(numbers))


def largest(*amounts: Amount) -> Amount:
    """The largest of amounts."""
    return Amount(max(one.least for one in amounts), all(one.is_complete for one in amounts))


@dataclass(frozen=True)
class Room:
    """Bytes and files on a disk."""

    num_bytes: Amount
    files: int


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The numbers of a step. Hours of audio count every pass over it."""

    audio_hours_in: Amount = Amount()
    audio_hours_out: Amount = Amount()
    gpu_hours: Amount = Amount()
    cpu_hours: Amount = Amount()  # of one core; beside a network on a GPU, helper threads are not counted
    bytes_in: Amount = Amount()
    bytes_out: Amount = Amount()  # without temporary files
    passing_bytes: Amount = Amount()  # temporary files of one job
    other_files: int = 0  # permanent ones beside the outputs


@dataclass(frozen=True, kw_only=True)
class Step(Cost):
    """Jobs of a rule, with their cost together."""

    stage: str
    rule: str
    jobs: tuple[Outputs, ...] = ()

    @property
    def files(self) -> int:
        return sum(map(len, self.jobs)) + self.other_files

    def to_write(self, root: Path, outputs: frozenset[str] | None = None) -> Room:
        """The disk space that jobs for any of `outputs` (None: for any missing output) will add."""
        jobs = [job for job in self.jobs if outputs is None or outputs.intersection(job)]
        missing = [job for job in jobs if outputs is not None or not all((root / path).exists() for path in job)]
        share = len(missing) / len(self.jobs) if self.jobs else float(outputs is None)
        there = sum((root / path).stat().st_size for job in missing for path in job if (root / path).exists())
        num_bytes = self.bytes_out * share
        return Room(Amount(max(0.0, num_bytes.least - there), num_bytes.is_complete), round(self.files * share))


AMOUNTS = tuple(field.name for field in fields(Cost) if field.name != "other_files")


def total(stage: str, rule: str, steps: Iterable[Step]) -> Step:
    """Several steps as one."""
    steps = list(steps)
    sums: dict[str, Any] = {name: sum((getattr(step, name) for step in steps), Amount()) for name in AMOUNTS}
    largest = max((step.passing_bytes.least for step in steps), default=0.0)
    sums["passing_bytes"] = Amount(largest, sums["passing_bytes"].is_complete)
    jobs = tuple(job for step in steps for job in step.jobs)
    return Step(stage=stage, rule=rule, jobs=jobs, other_files=sum(step.other_files for step in steps), **sums)
