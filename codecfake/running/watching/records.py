"""Snakemake's record of one job: `benchmark:` files, one row of time, memory and processor time."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """Time and memory of a job. Snakemake samples memory every few seconds: shorter jobs have no value."""

    seconds: float
    cpu_seconds: float | None
    max_rss_mb: float | None


def read_record(path: Path) -> Record | None:
    """A job's record; None if it does not exist or is incomplete."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        (row,) = rows
        return Record(float(row["s"]), _number(row["cpu_time"]), _number(row["max_rss"]))
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # "NA" and "-"
        return None
