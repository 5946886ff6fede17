"""One run at a time per run directory; after a kill, the same command continues.

Snakemake's own lock is a file, which a killed run leaves behind. Two locks of the operating system show whether it is
stale, since they end with their processes, however these end. One is held by the run's main process. The other is
shared by its jobs and their children, which may outlive it.
"""

import fcntl
import json
import os
import shlex
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from codecfake.base import files

RUN, JOBS = "codecfake.run", "codecfake.jobs"  # in .snakemake/
SNAKEMAKE = "locks"  # Snakemake's own, in the same folder
BOOT = Path("/proc/sys/kernel/random/boot_id")  # the same in all containers of a machine


class RunLockError(RuntimeError):
    """A run directory belongs to another run, or may belong to one."""


@dataclass(frozen=True)
class Holder:
    """The main process of a run."""

    pid: int
    host: str
    boot: str  # "" if unknown
    started: str

    @property
    def is_of_this_machine(self) -> bool:
        return self.host == socket.gethostname() or (self.boot != "" and self.boot == _boot())

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, started {self.started}"


def claim(folder: Path, started: str, tell: Callable[[str], None]) -> TextIO | None:
    """Claim the run directory with the `.snakemake` folder `folder`, for as long as the returned file is open.

    Cleans up after a killed run: waits for its remaining jobs, then removes Snakemake's lock, and reports both through
    `tell`. Returns None if the file system has no locks; then only Snakemake's lock protects the directory.

    Raises RunLockError if another run is at work, or if that cannot be known, and WriteError.
    """
    with files.explaining(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / RUN).open("a+")
    last = _holder(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunLockError(_refusal(folder, last)) from None
    except OSError:
        return None
    _wait_for_jobs(folder, tell)
    if (folder / SNAKEMAKE).is_dir() and any((folder / SNAKEMAKE).iterdir()):
        _remove_stale(folder, last, tell)
    lock.truncate(0)
    json.dump(asdict(Holder(os.getpid(), socket.gethostname(), _boot(), started)), lock)
    lock.flush()
    return lock


def is_at_work(folder: Path) -> bool:
    """Whether a run is or may be at work: Snakemake's lock exists, and nothing shows that it is stale."""
    if not (folder / SNAKEMAKE).is_dir() or not any((folder / SNAKEMAKE).iterdir()):
        return False
    try:
        with (folder / RUN).open() as lock:
            last = _holder(lock)
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # briefly: closing the file releases it
    except OSError:  # it is locked, or the file system has no locks
        return True
    return last is not None and not last.is_of_this_machine


def shared_by_jobs(folder: Path) -> str:
    """A shell command that makes a job and its children share the lock that `claim` waits for.

    It does nothing if the file system or the machine has no such locks, or the folder is on another one.
    """
    lock = shlex.quote(str(folder / JOBS))
    return f"if {{ exec 9>>{lock}; }} 2>/dev/null; then flock --shared 9 2>/dev/null || true; fi; "


def _holder(lock: TextIO) -> Holder | None:
    lock.seek(0)
    try:
        return Holder(**json.load(lock))
    except (ValueError, TypeError):
        return None


def _boot() -> str:
    return BOOT.read_text().strip() if BOOT.exists() else ""


def _refusal(folder: Path, holder: Holder | None) -> str:
    return (
        f"{folder.parent}: another run is at work here ({holder or 'it has just started'}). A directory takes one run "
        f"at a time. Wait for it, stop it, or use another directory: snakemake --directory runs/NAME …"
    )


def _wait_for_jobs(folder: Path, tell: Callable[[str], None]) -> None:
    with (folder / JOBS).open("a") as jobs:
        try:
            fcntl.flock(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pids = " ".join(map(str, _users(folder / JOBS)))
            tell(
                f"{folder.parent}: jobs of a killed run are still at work here; waiting for them to end. "
                f"To end them now: {f'kill {pids}' if pids else 'cancel them; they belong to another machine or user'}"
            )
            fcntl.flock(jobs, fcntl.LOCK_EX)


def _users(path: Path) -> list[int]:
    """Other processes that have a file open, as far as this user can see on this machine."""
    pids = set()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if descriptor.samefile(path):
                pids.add(int(descriptor.parts[2]))
        except OSError:
            continue
    return sorted(pids - {os.getpid()})


def _remove_stale(folder: Path, last: Holder | None, tell: Callable[[str], None]) -> None:
    if last is None or not last.is_of_this_machine:
        raise RunLockError(
            f"{folder.parent}: locked by {last or 'an unknown run'}. Whether that run is still at work "
            f"cannot be seen from this machine; if it is not, give `snakemake --unlock`, then the same command"
        )
    shutil.rmtree(folder / SNAKEMAKE)
    tell(f"{folder.parent}: the last run here was killed ({last}). Its lock is removed; continuing from there")
