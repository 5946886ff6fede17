"""What a job used, as a line of its log.

Snakemake samples the processor time and memory of a job every half minute, so it misses the end of every job and all of
a short one. The kernel counts both exactly, for a process and the children that it waited for.
"""

import re
import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass

FORM = re.compile(r"used: ([\d.]+) s of processor time, at most (\d+) MiB of memory in one process")
KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Usage:
    """Of a process, and of the children that it waited for."""

    cpu_seconds: float  # user and system
    max_rss_mb: float  # MiB, of the process with the highest peak

    def __str__(self) -> str:
        used = f"{self.cpu_seconds:.2f} s of processor time, at most {self.max_rss_mb:.0f} MiB of memory in one process"
        return f"used: {used}"


def tell() -> None:
    """Write what this process used so far where its log is."""
    print(so_far(), file=sys.stderr)


def so_far() -> Usage:
    """Of this process."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_seconds = sum(part.ru_utime + part.ru_stime for part in parts)
    return Usage(cpu_seconds, max(part.ru_maxrss for part in parts) / KIB_PER_MIB)


def found_in(lines: Iterable[str]) -> Usage | None:
    """What the commands of a job told together; None if none did."""
    usages = [Usage(float(match[1]), float(match[2])) for match in map(FORM.search, lines) if match]
    if not usages:
        return None
    return Usage(sum(usage.cpu_seconds for usage in usages), max(usage.max_rss_mb for usage in usages))
