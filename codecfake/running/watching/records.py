"""The record of one job: its duration from Snakemake's `benchmark:` file, what it used from its log."""

import csv
from dataclasses import dataclass
from pathlib import Path

from codecfake.base import usage


@dataclass(frozen=True)
class Record:
    """Time and memory of a job; what is not in its log is as Snakemake sampled it, with no value for short jobs."""

    seconds: float
    cpu_seconds: float | None
    max_rss_mb: float | None


def read_record(path: Path, log: Path) -> Record | None:
    """A job's record; None if Snakemake's file does not exist or is incomplete."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        (row,) = rows
        sampled = Record(float(row["s"]), _number(row["cpu_time"]), _number(row["max_rss"]))
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None
    exact = _exact_usage(log)
    return sampled if exact is None else Record(sampled.seconds, exact.cpu_seconds, exact.max_rss_mb)


def _exact_usage(log: Path) -> usage.Usage | None:
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            return usage.found_in(file)
    except OSError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "NA" and "-"
        return None
