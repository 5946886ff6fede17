"""The failed jobs of a run: the last lines of their logs, and remedies.

The log of a job that was ended from outside has no error; on a cluster, SLURM's own log shows who ended it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from codecfake.running.watching.bars import tail
from codecfake.running.watching.jobs import LOGS, Job, Run, State

NUM_LINES = 8
SLURM_LOGS = LOGS / "slurm"  # the executor's logs, as set in profiles/slurm
AGAIN = "then give the same command again; finished work is kept"
MORE_MEMORY = f"give it more memory (mem_mb), or run fewer jobs at once (--cores), {AGAIN}"
ENVIRONMENT = "activate the environment of `make setup`"
REMEDIES = (  # pattern in a log -> remedy; the first match counts
    (r"/dev/shm", f"processes share memory in /dev/shm: make it writable and large enough, {AGAIN}"),
    (
        r"(HOME: unbound variable|HOME not set|Could not determine home directory\.?)\Z",
        f"there is no home folder: set HOME to a folder that this user can write to, {AGAIN}",
    ),
    (  # the shell's own last words; of a program, they would not be the last ones
        r"^(\S*/)?(\w*sh|env): .*(not found|Permission denied|No such file or directory|Exec format error"
        r"|cannot execute: required file not found|bad interpreter.*)\Z",
        f"the shell could not start that program: {ENVIRONMENT}, or set it up again on this machine, {AGAIN}",
    ),
    (
        r"error while loading shared libraries",
        f"a library of that program is missing: {ENVIRONMENT}, or set it up again on this machine, {AGAIN}",
    ),
    (
        r"^\w*Error: \[Errno (30|13)\] [^:\n]*$",  # of files, the message has the name
        f"shared memory cannot be used: make /dev/shm writable, {AGAIN}",
    ),
    (
        r"File too large|File size limit exceeded",
        f"files may not be that large here: raise the limit (`ulimit -f unlimited`), {AGAIN}",
    ),
    (r"CUDA out of memory|CUDA error: out of memory", "the GPU's memory is full: end other programs on it, " + AGAIN),
    (r"No space left on device|Disk quota exceeded", "the disk is full: free some space, " + AGAIN),
    (r"Read-only file system|Permission denied", f"make that folder writable, or use --directory, {AGAIN}"),
    (r"MemoryError|allocate memory|oom[-_ ]kill|exceeded memory limit", "memory ran out: " + MORE_MEMORY),
    (r"DUE TO TIME LIMIT", f"it ran out of time: allow it more (runtime), {AGAIN}"),
    (r"slurmstepd: .*CANCELLED", f"it was canceled: if the reason is gone, {AGAIN.removeprefix('then ')}"),
    (
        r"ModuleNotFoundError|ImportError",
        f"a package is missing: {ENVIRONMENT}, or add --use-conda",
    ),
    (r"^Fatal Python error", "compiled code crashed: give the same command again, and report a second crash"),
    (r"^Traceback", "this is a bug in codecfake: please report it with the whole log"),
    (r"^[\w.]*(Error|Exception)\b", f"fix the cause in the message, {AGAIN}"),
)
SILENT = (
    "the log ends without an error: the job was probably ended from outside. If it ran out of memory or time, "
    f"allow it more (mem_mb, runtime), {AGAIN}"
)
NO_JOB_FAILED = (
    "All jobs that started have finished. The failed ones had not started: Snakemake or the cluster ended them; the "
    "reason is above, or in the output of `squeue`"
)


def failures(run: Run) -> str:
    """All jobs that started but did not finish, once no run is at work; empty without any."""
    jobs = run.of(State.ACTIVE)
    if not jobs:
        return ""
    head = f"{len(jobs)} job{'s' if len(jobs) > 1 else ''} did not finish:"
    return "\n".join([head, *(line for job in jobs for line in _report(run, job))])


def remedy(lines: list[str]) -> str:
    """The remedy for a job whose log ends with these lines."""
    text = "\n".join(lines)
    return next((advice for pattern, advice in REMEDIES if re.search(pattern, text, re.MULTILINE)), SILENT)


def _report(run: Run, job: Job) -> Iterator[str]:
    log = LOGS / f"{job.name}.log"
    lines = tail(run.directory / log)
    yield f"\n{job.name}, whose log {log} ends:"
    yield from (f"  | {line}" for line in lines[-NUM_LINES:] or ["(nothing)"])
    advice = remedy(lines)
    slurm = _slurm_log(run, job) if advice == SILENT else None
    if slurm is not None:
        lines = tail(slurm)
        yield f"  and SLURM's log, {slurm.relative_to(run.directory)}:"
        yield from (f"  | {line}" for line in [line for line in lines if "slurmstepd:" in line] or lines[-NUM_LINES:])
        advice = remedy(lines)
    yield f"  -> {advice}"


def _slurm_log(run: Run, job: Job) -> Path | None:
    """SLURM's newest log of a job, in a folder that the executor names after the wildcards."""
    rule, _, wildcards = job.name.partition("/")
    values = "_".join(part.removeprefix("seed") for part in wildcards.split("."))
    logs = (run.directory / SLURM_LOGS / f"rule_{rule}" / values).glob("*.log")
    return max(logs, key=lambda path: path.stat().st_mtime, default=None)
