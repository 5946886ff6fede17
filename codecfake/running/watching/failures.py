"""What failed in a run: the last lines of each failed job's log, and what to do about it.

A job that was ended from outside has no last words; on a cluster SLURM's own log of it tells who ended it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from codecfake.running.watching.bars import tail
from codecfake.running.watching.jobs import LOGS, Job, Run, State

NUM_LINES = 8
SLURM_LOGS = LOGS / "slurm"  # where profiles/slurm lets the executor write
AGAIN = "then give the same command again: what is finished stays"
MORE_MEMORY = f"give it more memory (mem_mb), or run fewer jobs at once (--cores), {AGAIN}"
REMEDIES = (  # what a log says, and what helps; the first that fits, as an error of the workflow names its own remedy
    (r"CUDA out of memory|CUDA error: out of memory", "the GPU's memory is full: end what else runs on it, " + AGAIN),
    (r"No space left on device|Disk quota exceeded", "the disk is full: make room on it, " + AGAIN),
    (r"Read-only file system|Permission denied", f"make that folder writable, or use --directory, {AGAIN}"),
    (r"MemoryError|allocate memory|oom[-_ ]kill|exceeded memory limit", "memory ran out: " + MORE_MEMORY),
    (r"DUE TO TIME LIMIT", f"its time was up: allow it more (runtime), {AGAIN}"),
    (r"slurmstepd: .*CANCELLED", f"somebody or something cancelled it: if that is over, {AGAIN.removeprefix('then ')}"),
    (
        r"ModuleNotFoundError|ImportError",
        "a package is missing: activate the environment of `make setup`, or add --use-conda",
    ),
    (r"^Fatal Python error", "compiled code crashed: give the same command again, and report it if it does so twice"),
    (r"^Traceback", "this is a fault of codecfake and not of yours: please report it with the whole log"),
    (r"^[\w.]*(Error|Exception)\b", f"mend what the message names, {AGAIN}"),
)
SILENT = (
    "the log ends without an error: the job was most likely ended from outside. If memory ran out or time was up, "
    f"allow it more (mem_mb, runtime), {AGAIN}"
)
NONE_BEGUN = (
    "No job had begun that did not finish. What failed was ended before, by Snakemake or by the cluster; the reason is "
    "above, or `squeue` has it"
)


def failures(run: Run) -> str:
    """Every job that started and did not finish, when none is at work any more; empty if there are none."""
    failed = run.of(State.STARTED)
    if not failed:
        return ""
    head = f"{len(failed)} job{'s' if len(failed) > 1 else ''} did not finish:"
    return "\n".join([head, *(line for job in failed for line in _told(run, job))])


def remedy(lines: list[str]) -> str:
    """What to do about a job whose log ends in these lines."""
    text = "\n".join(lines)
    return next((advice for pattern, advice in REMEDIES if re.search(pattern, text, re.MULTILINE)), SILENT)


def _told(run: Run, job: Job) -> Iterator[str]:
    log = LOGS / f"{job.name}.log"
    lines = tail(run.directory / log)
    yield f"\n{job.name}, whose log {log} ends:"
    yield from (f"  | {line}" for line in lines[-NUM_LINES:] or ["(nothing)"])
    advice = remedy(lines)
    slurm = _slurm_log(run, job) if advice == SILENT else None
    if slurm is not None:
        lines = tail(slurm)
        yield f"  and SLURM's, {slurm.relative_to(run.directory)}:"
        yield from (f"  | {line}" for line in [line for line in lines if "slurmstepd:" in line] or lines[-NUM_LINES:])
        advice = remedy(lines)
    yield f"  -> {advice}"


def _slurm_log(run: Run, job: Job) -> Path | None:
    """SLURM's newest log of a job, in a folder that the executor names by the values of wildcards."""
    rule, _, wildcards = job.name.partition("/")
    values = "_".join(part.removeprefix("seed") for part in wildcards.split("."))
    logs = (run.directory / SLURM_LOGS / f"rule_{rule}" / values).glob("*.log")
    return max(logs, key=lambda path: path.stat().st_mtime, default=None)
