"""The GPUs of this machine. Each job gets its own: it takes a free GPU by locking a file.

The kernel releases the lock when the job's process ends, however it ends. This module needs no torch, because the
workflow counts GPUs before any job.
"""

import fcntl
import logging
import os
import platform
import re
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from codecfake.base import gpu_memory

logger = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
NAME = re.compile(r"\d+|(GPU|MIG)-\S+")
SEVERAL = "several.lock"
SECONDS_BETWEEN_TRIES = 1.0
SECONDS_BETWEEN_MESSAGES = 60.0
REMEDY = "set HOME to a folder of this user, on a file system that has locks, and to the same for all runs"


class GpuError(RuntimeError):
    """A job's device does not match the GPUs assigned to it."""


def visible(environment: Mapping[str, str], devices: Path = Path("/dev")) -> list[str]:
    """Names of the GPUs that CUDA would show, in its order: those in CUDA_VISIBLE_DEVICES, otherwise all, by number.

    GPUs are counted by their device files, so that no driver is loaded; WSL has one file for all, which counts as one.
    """
    if VISIBLE in environment:
        names = [name.strip() for name in environment[VISIBLE].split(",")]
        return list(takewhile(NAME.fullmatch, names))  # CUDA stops at the first invalid name
    files = [path for path in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    return [str(number) for number in range(len(files) or (devices / "dxg").exists())]


def num_needed(device: str, on_cluster: bool, here: int) -> int:
    """Number of GPUs, 0 or 1, for a job that runs a network, from config.yaml's `device` and the GPUs on this machine.

    `auto` on a cluster is 1: its jobs run on other machines than the one that plans them. For a cluster without GPUs,
    set `device: cpu`.
    """
    if device == "auto":
        return int(on_cluster or here > 0)
    return int(device == "cuda")


def slots(environment: Mapping[str, str]) -> Path:
    """The folder of lock files that all jobs of this user share on this machine, or within one SLURM job.

    It is in the user's home, whatever TMPDIR and the XDG variables are: a cron job and a login shell meet at the same
    locks, which they would not in a runtime folder, which comes and goes with logins. Folders that others can write
    to, such as /tmp, would let them stop jobs or have files overwritten. SLURM assigns separate GPUs to each of its
    jobs, and may number them from 0 in each. A home can be shared by several machines.

    Raises GpuError without a home.
    """
    job = environment.get("SLURM_JOB_ID")
    name = f"slurm-{job}" if job else f"machine-{platform.node()}"
    return _home(environment) / ".cache" / f"codecfake-gpus-{quote(name, safe='')}"


def _home(environment: Mapping[str, str]) -> Path:
    try:
        return Path(environment.get("HOME") or Path.home())
    except RuntimeError as error:
        raise GpuError(f"there is no home folder for the locks of GPUs: {REMEDY}") from error


def _is_private(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077


def take(gpus: Sequence[str], folder: Path) -> str:
    """Take a GPU that no other job has, and keep it until this process ends; wait, and log it, while no GPU is free.

    A GPU is left alone while other programs use more than half of its memory (`gpu_memory.LEAST_FREE`).

    The lock belongs to the process (POSIX): workers that it forks do not inherit it, so they cannot keep it alive.

    Raises GpuError if the folder is not this user's alone, or cannot be written to.
    """
    with _explaining(folder):
        directory = _open_folder(folder)
    try:
        return _take(gpus, folder, directory)
    finally:
        os.close(directory)


def take_several(gpus: Sequence[str], folder: Path, number: int) -> list[str]:
    """Take several GPUs, one after the other, as `take` does. Raises GpuError if there are fewer."""
    if number > len(gpus):
        raise GpuError(
            f"this job was assigned {number} GPUs (resources: gpu={number}), but this machine shows {len(gpus)} "
            f"({', '.join(gpus)}); assign at most {len(gpus)}"
        )
    if number == 1:
        return [take(gpus, folder)]
    own: list[str] = []
    with _one_at_a_time(folder):  # two jobs that each wait for the other's GPU would wait forever
        while len(own) < number:
            own.append(take([gpu for gpu in gpus if gpu not in own], folder))
    return own


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let only one process at a time collect several GPUs."""
    with _explaining(folder):
        directory = _open_folder(folder)
        try:
            descriptor = os.open(SEVERAL, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=directory)
        finally:
            os.close(directory)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _explaining(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GpuError(f"{folder}: cannot hold the locks of GPUs ({error.strerror}): {REMEDY}") from error


def _open_folder(folder: Path) -> int:
    """A descriptor of the folder, which is created if it is missing; a link is not followed."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if _is_private(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    raise GpuError(
        f"{folder}: belongs to another user, or others have access, so its locks of GPUs cannot be trusted: "
        f"remove it, or {REMEDY}"
    )


def _take(gpus: Sequence[str], folder: Path, directory: int) -> str:
    last_message = -SECONDS_BETWEEN_MESSAGES
    while True:
        reasons = []
        for gpu in gpus:
            with _explaining(folder / _file(gpu)):
                reason = _why_not(gpu, directory)
            if reason is None:
                return gpu
            reasons.append(reason)
        if time.monotonic() - last_message >= SECONDS_BETWEEN_MESSAGES:
            last_message = time.monotonic()
            logger.info("waiting for a GPU: %s", "; ".join(reasons))
        time.sleep(SECONDS_BETWEEN_TRIES)


def _why_not(gpu: str, directory: int) -> str | None:
    """Take a GPU, or say why that is not possible now."""
    descriptor = _lock(_file(gpu), directory)
    if descriptor is None:
        return _holder(gpu, directory)
    memory = gpu_memory.read(gpu)
    if memory is None or memory.is_enough:
        return None
    os.close(descriptor)
    return (
        f"{gpu} has {memory}, because other programs use it, and a job starts when {gpu_memory.LEAST_FREE:.0%} is free"
    )


def _lock(name: str, directory: int) -> int | None:
    """Lock a file until this process ends or closes the returned descriptor; None if another process has it."""
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def _file(gpu: str) -> str:
    return f"{quote(gpu, safe='')}.lock"


def _holder(gpu: str, directory: int) -> str:
    descriptor = os.open(_file(gpu), os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
    with os.fdopen(descriptor, encoding="ascii") as file:
        return f"{gpu} is taken by process {file.read() or '…'}"
