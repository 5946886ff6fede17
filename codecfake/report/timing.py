"""The page of times: duration, memory and speed of every rule. The report itself is the same in every run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codecfake.base import files
from codecfake.running.watching.jobs import LOGS, RECORDS, RESULTS
from codecfake.running.watching.records import read_record
from codecfake.running.watching.text import duration, rate_of
from codecfake.running.watching.work import Work, work_of

COLUMNS = ["rule", "job", "seconds", "cpu_seconds", "max_rss_mb", "amount", "unit"]
MB_PER_GB = 1024  # as Snakemake counts


@dataclass(frozen=True)
class RuleRow:
    """All jobs of one rule, each as it last ran."""

    rule: str
    num_jobs: int
    share: float  # of the time of all jobs
    total: str
    mean: str
    longest: str
    cores: str  # busy on average
    waiting: str  # time in which jobs used less than one core
    memory: str  # of the process with the highest peak
    rate: str


def write_timing(results: Path, output: Path) -> None:
    """Write the page as `output`, and next to it a CSV file with a row for every job."""
    table = job_table(results)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("timing.html").render(
        rows=rule_rows(table), num_jobs=len(table), total=duration(float(table["seconds"].sum()))
    )
    with files.sealed(output.with_suffix(".csv")) as part:
        table.to_csv(part, index=False, lineterminator="\n")
    files.write_text(output, page)


def job_table(results: Path) -> pd.DataFrame:
    """A row for every job that has a record, sorted by name; columns `COLUMNS`, empty where unknown."""
    return pd.DataFrame(_jobs(results), columns=COLUMNS)


def _jobs(results: Path) -> Iterator[tuple[str | float | None, ...]]:
    folder = results / RECORDS.relative_to(RESULTS)
    for path in sorted(folder.rglob("*.tsv")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        record = read_record(path, results.parent / LOGS / f"{name}.log")
        if record is None:
            continue
        work = work_of(results, name)
        amount_and_unit = (None, None) if work is None else (round(work.amount, 3), work.unit)
        yield (name.partition("/")[0], name, record.seconds, record.cpu_seconds, record.max_rss_mb, *amount_and_unit)


def rule_rows(table: pd.DataFrame) -> list[RuleRow]:
    """Rules by their time, the longest first."""
    rows = [(float(jobs["seconds"].sum()), str(rule), jobs) for rule, jobs in table.groupby("rule")]
    total = sum(seconds for seconds, _, _ in rows)
    return [
        _rule(rule, jobs, seconds, total) for seconds, rule, jobs in sorted(rows, key=lambda row: (-row[0], row[1]))
    ]


def _rule(rule: str, jobs: pd.DataFrame, seconds: float, total: float) -> RuleRow:
    with_cpu, with_amount = jobs.dropna(subset="cpu_seconds"), jobs.dropna(subset="amount")
    work = Work(float(with_amount["amount"].sum()), str(with_amount["unit"].iloc[0])) if len(with_amount) else None
    cores = with_cpu["cpu_seconds"].sum() / with_cpu["seconds"].sum() if len(with_cpu) else None
    waiting = (with_cpu["seconds"] - with_cpu["cpu_seconds"]).clip(lower=0).sum()
    memory = jobs["max_rss_mb"].max()
    return RuleRow(
        rule,
        len(jobs),
        seconds / total,
        duration(seconds),
        duration(float(jobs["seconds"].mean())),
        duration(float(jobs["seconds"].max())),
        "–" if cores is None else f"{cores:.1f}",
        "–" if cores is None else duration(float(waiting)),
        "–" if pd.isna(memory) else f"{memory / MB_PER_GB:.2f}",
        rate_of(work, float(with_amount["seconds"].sum())) if work is not None else "–",
    )
