"""How long a run will still take, from what its jobs took so far.

A job is expected to take the mean of the finished ones of its rule, in this run or else in earlier ones; a job at work
that no such job is known of, what its progress bar says. The sum is divided by how many jobs run side by side.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from codecfake.running.watching.bars import last_bar
from codecfake.running.watching.jobs import LOGS, Job, Run, State


@dataclass(frozen=True)
class Forecast:
    seconds: float  # until every job is done whose time can be told
    untold: list[str]  # rules of jobs whose time cannot


def forecast(run: Run, elapsed: float) -> Forecast:
    """What is left of a run that started `elapsed` seconds ago."""
    usual = _means(job for job in run.jobs if job.state is not State.DONE) | _means(run.of(State.DONE))
    rest = [(job.rule, _left(run, job, usual)) for job in run.jobs if job.state is not State.DONE]
    told = [seconds for _, seconds in rest if seconds is not None]
    shared = sum(told) / _side_by_side(run, elapsed)
    return Forecast(max([shared, *told], default=0.0), [*dict.fromkeys(rule for rule, left in rest if left is None)])


def _means(jobs: Iterable[Job]) -> dict[str, float]:
    """Rule -> mean seconds of those of its jobs that have a record."""
    taken = defaultdict(list)
    for job in jobs:
        if job.record is not None:
            taken[job.rule].append(job.record.seconds)
    return {rule: fmean(seconds) for rule, seconds in taken.items()}


def _left(run: Run, job: Job, usual: Mapping[str, float]) -> float | None:
    """Seconds that a job will still take, of those it takes; None if that cannot be told."""
    seconds = usual.get(job.rule)
    if job.state is State.TO_COME:
        return seconds
    bar = last_bar(run.directory / LOGS / f"{job.name}.log")
    if bar is not None and (seconds is None or bar.seconds > seconds / 2):  # a shorter bar is of a part of the job
        return bar.left
    return seconds / 2 if seconds is not None else None  # on average: nothing says when it started


def _side_by_side(run: Run, elapsed: float) -> float:
    """How many jobs run at the same time: as many as now or, where that is more, as on average so far."""
    spent = sum(job.record.seconds for job in run.of(State.DONE) if job.record is not None)
    return max(1.0, len(run.of(State.STARTED)), spent / elapsed if elapsed > 0 else 0.0)
