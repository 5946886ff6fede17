"""What worker processes need from the machine, tested before they start."""

from multiprocessing import get_context
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # locks and queues of processes are there


def require_shared_memory() -> None:
    """Raise WriteError, which names the place, if locks that processes share cannot be made."""
    from codecfake.base import files  # not above: worker processes import this module without needing pandas

    with files.explaining(SHARED_MEMORY):
        get_context("spawn").Lock()
