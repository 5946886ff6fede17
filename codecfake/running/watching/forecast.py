"""The remaining time of a run, from the times of its finished jobs.

A job is expected to take the mean time of the finished jobs of its rule, in this run or in earlier ones. Without any, a
running job's progress bar is used. The sum is divided by the number of parallel jobs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from codecfake.running.watching.bars import last_bar
from codecfake.running.watching.jobs import LOGS, Job, Run, State


@dataclass(frozen=True)
class Forecast:
    seconds: float  # until every job with a known time is done
    unknown: list[str]  # rules of jobs with an unknown time


def forecast(run: Run, elapsed: float) -> Forecast:
    """The remaining time of a run that started `elapsed` seconds ago."""
    usual = _means(job for job in run.jobs if job.state is not State.COMPLETE) | _means(run.of(State.COMPLETE))
    rest = [(job.rule, _remaining(run, job, usual)) for job in run.jobs if job.state is not State.COMPLETE]
    times = [seconds for _, seconds in rest if seconds is not None]
    in_parallel = sum(times) / _side_by_side(run, elapsed)
    return Forecast(
        max([in_parallel, *times], default=0.0), [*dict.fromkeys(rule for rule, seconds in rest if seconds is None)]
    )


def _means(jobs: Iterable[Job]) -> dict[str, float]:
    """Rule -> mean seconds of its jobs that have a record."""
    times = defaultdict(list)
    for job in jobs:
        if job.record is not None:
            times[job.rule].append(job.record.seconds)
    return {rule: fmean(seconds) for rule, seconds in times.items()}


def _remaining(run: Run, job: Job, usual: Mapping[str, float]) -> float | None:
    """Remaining seconds of a job; None if unknown."""
    seconds = usual.get(job.rule)
    if job.state is State.TO_COME:
        return seconds
    bar = last_bar(run.directory / LOGS / f"{job.name}.log")
    if bar is not None and (seconds is None or bar.seconds > seconds / 2):  # a shorter bar covers a part of the job
        return bar.remaining
    return seconds / 2 if seconds is not None else None  # on average: its start is unknown


def _side_by_side(run: Run, elapsed: float) -> float:
    """The number of parallel jobs: now, or on average so far if that is more."""
    work = sum(job.record.seconds for job in run.of(State.COMPLETE) if job.record is not None)
    return max(1.0, len(run.of(State.ACTIVE)), work / elapsed if elapsed > 0 else 0.0)
