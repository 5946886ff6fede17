"""A plan as text for people, and as JSON values for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from math import isnan
from pathlib import Path
from typing import Any

from codecfake.running.planning.rates import GOAL, MEASURED, YOURS
from codecfake.running.planning.run_plan import RunPlan
from codecfake.running.planning.steps import Room, Step, add

GB = 1e9
HEADERS = ("", "jobs", "audio in, h", "audio out, h", "GPU, h", "CPU, h", "reads, GB", "writes, GB", "files")
WARNINGS = {
    GOAL: "goals, never measured",
    "estimate": "estimates",
    MEASURED: "measured",
    YOURS: "yours",
}


def as_text(plan: RunPlan, needed: Room, root: Path, free: int) -> str:
    """The table, the rates behind it, and the space on the disk."""
    lines = [f"{plan.title}: networks on the {plan.device.upper()}", "", _table(plan), ""]
    lines += [*_foundations(plan), "", *_disk(plan, needed, root, free)]
    return "\n".join(lines)


def as_json(plan: RunPlan, needed: Room, root: Path, free: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "title": plan.title,
        "device": plan.device,
        "steps": [_as_values(step) for step in plan.steps],
        "jobs": plan.jobs,
        "peak_bytes": None if isnan(plan.peak_bytes) else round(plan.peak_bytes),
        "bytes_left": round(needed.num_bytes),
        "files_left": needed.files,
        "bytes_free": free,
        "fits": bool(needed.num_bytes <= free),
        "directory": str(root.resolve()),
        "rates": {name: asdict(rate) for name, rate in plan.rates.items()},
        "by_published_size": list(plan.by_published_size),
        "unknown": dict(plan.unknown),
        "not_run": dict(plan.not_run),
    }


def _as_values(step: Step) -> dict[str, Any]:
    names = {field.name for field in fields(step)} - {"jobs", "other_files"}
    values = {name: getattr(step, name) for name in sorted(names)}
    plain = {name: float(value) if isinstance(value, float) else value for name, value in values.items()}
    finite = {name: None if isinstance(value, float) and isnan(value) else value for name, value in plain.items()}
    return {**finite, "jobs": len(step.jobs), "files": step.files}


def _table(plan: RunPlan) -> str:
    rows: list[Sequence[str]] = [HEADERS]
    for stage in dict.fromkeys(step.stage for step in plan.steps):
        steps = [step for step in plan.steps if step.stage == stage]
        rows.append(_row(stage, steps))
        rows += [_row(f"  {step.rule}", [step]) for step in steps if [step.rule for step in steps] != [stage]]
    rows.append(_row("total", plan.steps))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers]).rstrip()


def _row(name: str, steps: Iterable[Step]) -> Sequence[str]:
    steps = list(steps)
    sums = [
        add(step.audio_hours_in for step in steps),
        add(step.audio_hours_out for step in steps),
        add(step.gpu_hours for step in steps),
        add(step.cpu_hours for step in steps),
        add(step.bytes_in for step in steps) / GB,
        add(step.bytes_out for step in steps) / GB,
    ]
    files = sum(step.files for step in steps)
    return (name, f"{sum(len(step.jobs) for step in steps):,}", *map(_number, sums), f"{files:,}")


def _number(value: float) -> str:
    if isnan(value):
        return "?"
    if value == 0:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _foundations(plan: RunPlan) -> Iterable[str]:
    yield "Hours are for one GPU or CPU core; ? is unknown and missing from sums. They are computed from rates that are"
    for basis, words in WARNINGS.items():
        names = [name for name, rate in plan.rates.items() if rate.basis == basis]
        if names:
            yield f"  {words}: {', '.join(f'{name} {plan.rates[name].value:g}' for name in names)}"
    yield "Your own rates are better: --rate NAME=NUMBER or --rates FILE; --json shows the source of each."
    for thing, remedy in plan.unknown.items():
        yield f"Unknown, and missing from every sum: {thing}; give {remedy}."
    if plan.by_published_size:
        corpora = ", ".join(plan.by_published_size)
        yield f"Not ingested yet, so planned with published sizes or numbers of files: {corpora}."
    for condition, why in plan.not_run.items():
        yield f"Not planned: {condition}, because {why} (--optional plans it anyway)."


def _disk(plan: RunPlan, needed: Room, root: Path, free: int) -> Iterable[str]:
    yield f"Disk, estimated: {plan.peak_bytes / GB:,.2f} GB at the peak, with one job at a time."
    yield (
        f"Still to be written in {root.resolve()}: {needed.num_bytes / GB:,.2f} GB in {needed.files:,} files; "
        f"free there: {free / GB:,.2f} GB."
    )
