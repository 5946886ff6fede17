"""How much of a GPU's memory is free, as `nvidia-smi` says: no CUDA context is created, which would itself take memory.

Locks keep the jobs of one user apart. Other users, containers and programs know nothing of them.
"""

import subprocess
from dataclasses import dataclass

LEAST_FREE = 0.5  # of a GPU's memory, for a job to start on it; kept features and batches may take most of that
SECONDS = 30.0  # for an answer; a driver that has been idle needs a few
MIB = 1024**2


@dataclass(frozen=True)
class GpuMemory:
    """Bytes."""

    free: int
    total: int

    @property
    def is_enough(self) -> bool:
        return self.free >= LEAST_FREE * self.total

    def __str__(self) -> str:
        return f"{self.free / 1e9:.1f} of {self.total / 1e9:.1f} GB free"


def read(gpu: str) -> GpuMemory | None:
    """The memory of a GPU, named by its number or its UUID; None if `nvidia-smi` is missing or does not know.

    It knows no parts of a GPU (MIG), each of which has memory of its own.
    """
    query = ["nvidia-smi", f"--id={gpu}", "--query-gpu=memory.free,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
        free, total = (int(value) * MIB for value in answer.split(","))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return GpuMemory(free, total)
