"""The jobs of a run and their states, from the timestamps of the job list, logs and records.

Timestamps are compared only with each other, never with a clock: the clocks of a cluster may disagree.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from codecfake.base import files
from codecfake.running import run_lock
from codecfake.running.watching.records import Record, read_record

LIST = Path("logs/jobs.txt")  # written when a run starts, so it has the age of the run
LOGS = Path("logs")
RESULTS = Path("results")
RECORDS = RESULTS / "benchmarks"


class WatchError(ValueError):
    """A folder without a run to watch."""


class State(Enum):
    TO_COME = "to come"
    ACTIVE = "started"  # at work, or failed
    COMPLETE = "done"


@dataclass(frozen=True)
class Job:
    name: str
    state: State
    record: Record | None  # of this run if it is done, otherwise of an earlier one, if any

    @property
    def rule(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Run:
    """The state of a run: all its jobs."""

    directory: Path
    jobs: list[Job]
    started: float  # seconds since the epoch, by the file system's clock

    @property
    def is_at_work(self) -> bool:
        return run_lock.is_at_work(self.directory / ".snakemake")

    def of(self, state: State) -> list[Job]:
        return [job for job in self.jobs if job.state is state]


def name_of(log: str) -> str:
    """The name of the job that writes this log."""
    return str(Path(log).relative_to(LOGS).with_suffix(""))


def write_list(directory: Path, names: list[str]) -> None:
    """Record that a run starts now, with its jobs."""
    files.write_note(directory / LIST, "".join(f"{name}\n" for name in sorted(names)))


def read_run(directory: Path) -> Run:
    """The state of the run in `directory`, or of the last one. Raises WatchError without any."""
    path = directory / LIST
    if not path.is_file():
        raise WatchError(f"{path} does not exist: no run has started in {directory.resolve()}; name one with --run")
    start = path.stat().st_mtime_ns
    jobs = [_job(directory, name, start) for name in path.read_text(encoding="utf-8").split()]
    return Run(directory, jobs, start / 1e9)


def _job(directory: Path, name: str, start: int) -> Job:
    record, log = directory / RECORDS / f"{name}.tsv", directory / LOGS / f"{name}.log"
    has_started, is_complete = _age(log) >= start, _age(record) >= start
    state = State.COMPLETE if is_complete else State.ACTIVE if has_started else State.TO_COME
    return Job(name, state, read_record(record, log))


def _age(path: Path) -> int:
    """When a file was last written, in nanoseconds since the epoch; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
