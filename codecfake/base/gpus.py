"""The GPUs of this machine. Each job gets its own: it takes a free GPU by locking a file.

The kernel releases the lock when the job's process ends, however it ends. This module needs no torch, because the
workflow counts GPUs before any job.
"""

import fcntl
import logging
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

logger = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
NAME = re.compile(r"\d+|(GPU|MIG)-\S+")
SECONDS_BETWEEN_TRIES = 1.0
SECONDS_BETWEEN_MESSAGES = 60.0


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

    SLURM assigns separate GPUs to each of its jobs, and may number them from 0 in each.
    """
    job = environment.get("SLURM_JOB_ID")
    return Path(tempfile.gettempdir()) / f"codecfake-gpus-{os.getuid()}" / (f"slurm-{job}" if job else "machine")


def take(gpus: Sequence[str], folder: Path) -> str:
    """Take a GPU that no other job has, and keep it until this process ends; wait, and log it, while all are taken.

    The lock belongs to the process (POSIX): workers that it forks do not inherit it, so they cannot keep it alive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last_message = -SECONDS_BETWEEN_MESSAGES
    while True:
        for gpu in gpus:
            if _lock(_file(gpu, folder)):
                return gpu
        if time.monotonic() - last_message >= SECONDS_BETWEEN_MESSAGES:
            last_message = time.monotonic()
            logger.info("waiting for a GPU: %s", "; ".join(_holder(gpu, folder) for gpu in gpus))
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(path: Path) -> bool:
    """Lock a file until this process ends, unless another process has it; the descriptor stays open on purpose."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return True


def _file(gpu: str, folder: Path) -> Path:
    return folder / f"{quote(gpu, safe='')}.lock"


def _holder(gpu: str, folder: Path) -> str:
    return f"{gpu} is taken by process {_file(gpu, folder).read_text() or '…'}"
