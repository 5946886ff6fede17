"""A plan as text for people, and as JSON values for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codecfake.running.planning.run_plan import RunPlan
from codecfake.running.planning.steps import AMOUNTS, Amount, Room, Step, total

GB = 1e9
COLUMNS = {  # header -> amount and its unit
    "audio in, h": ("audio_hours_in", 1.0),
    "audio out, h": ("audio_hours_out", 1.0),
    "GPU, h": ("gpu_hours", 1.0),
    "CPU, h": ("cpu_hours", 1.0),
    "reads, GB": ("bytes_in", GB),
    "writes, GB": ("bytes_out", GB),
}
BASES = {
    "goal": "goals, never measured",
    "counted": "computed from counted operations and launches, at an assumed utilization",
    "estimate": "estimates",
    "measured": "measured",
    "yours": "yours",
}
GPUS = (1, 8)  # numbers of them, of which a plan shows the wall time


def as_text(plan: RunPlan, room: Room, root: Path, free: int, gpus: Sequence[int] = GPUS) -> str:
    """The table, the time on numbers of GPUs, the rates behind both, and the space on the disk."""
    lines = [f"{plan.title}: networks on the {plan.device.upper()}", "", *_table(plan), "", *_times(plan, gpus)]
    return "\n".join([*lines, *_foundations(plan), "", *_disk(plan, room, root, free)])


def as_json(plan: RunPlan, room: Room, root: Path, free: int, gpus: Sequence[int] = GPUS) -> dict[str, Any]:
    """The same for programs; a number is null if no part of it is known."""
    return {
        "title": plan.title,
        "device": plan.device,
        "steps": [_values(step) for step in plan.steps],
        "jobs": len(plan.total.jobs),
        "wall_times": [asdict(time) for time in map(plan.wall_time, gpus) if time is not None],
        "longest_jobs": {kind: {"job": task.name, "hours": task.hours} for kind, task in plan.longest().items()},
        "peak_bytes": None if plan.peak_bytes.value is None else round(plan.peak_bytes.least),
        "bytes_left": round(room.num_bytes.least),
        "files_left": room.files,
        "bytes_free": free,
        "fits": room.num_bytes.least <= free,
        "directory": str(root.resolve()),
        "rates": {name: asdict(rate) for name, rate in plan.rate_of.items()},
        "by_published_size": list(plan.by_published_size),
        "unknown": dict(plan.unknown),
        "not_run": dict(plan.not_run),
    }


def _values(step: Step) -> dict[str, Any]:
    amounts = {name: getattr(step, name).value for name in sorted(AMOUNTS)}
    return {**amounts, "rule": step.rule, "stage": step.stage, "jobs": len(step.jobs), "files": step.files}


def _table(plan: RunPlan) -> list[str]:
    rows = [("", "jobs", *COLUMNS, "files")]
    for stage in dict.fromkeys(step.stage for step in plan.steps):
        steps = [step for step in plan.steps if step.stage == stage]
        rows.append(_row(stage, total(stage, stage, steps)))
        rows += [_row(f"  {step.rule}", step) for step in steps if [step.rule for step in steps] != [stage]]
    rows.append(_row("total", plan.total))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *numbers]).rstrip()


def _row(name: str, step: Step) -> tuple[str, ...]:
    cells = [_cell(getattr(step, amount) / unit) for amount, unit in COLUMNS.values()]
    return (name, f"{len(step.jobs):,}", *cells, f"{step.files:,}")


def _cell(amount: Amount) -> str:
    number = f"{amount.least:,.0f}" if amount.least >= 100 else f"{amount.least:.3g}"
    return (number if amount.least else "") + ("" if amount.is_complete else "+?" if amount.least else "?")


def _times(plan: RunPlan, gpus: Sequence[int]) -> Iterator[str]:
    """Nothing for a plan without GPUs."""
    least = "" if plan.total.gpu_hours.is_complete else "at least "
    for time in filter(None, map(plan.wall_time, gpus)):
        number, decisive = f"{time.gpus} GPU{'s' * (time.gpus > 1)}", _duration(time.decisive_hours)
        yield f"On {number}: {least}{_duration(time.hours)}, decided by {time.decisive}, {decisive}."
    if plan.tasks:
        longest = ", ".join(f"{task.name} {_duration(task.hours)}" for task in plan.longest().values())
        yield f"Longest jobs, on one GPU: {longest}."
        yield "Jobs on CPUs and waiting in queues are not in these times."
        yield ""


def _duration(hours: float) -> str:
    if hours >= 48:
        return f"{hours / 24:.1f} days"
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.2g} min"


def _foundations(plan: RunPlan) -> Iterator[str]:
    yield "Hours are for one GPU or CPU core. ? is unknown; 5+? has an unknown part and is at least 5."
    yield "The numbers are computed from rates that are"
    for basis, words in BASES.items():
        numbers = [f"{name} {rate.value:g}" for name, rate in plan.rate_of.items() if rate.basis == basis]
        if numbers:
            yield f"  {words}: {', '.join(numbers)}"
    yield "Your own rates are better: --rate NAME=NUMBER or --rates FILE; --json shows the source of each."
    for thing, remedy in plan.unknown.items():
        yield f"Unknown: {thing}; give {remedy}."
    if plan.by_published_size:
        corpora = ", ".join(plan.by_published_size)
        yield f"Not ingested yet, so planned with published sizes or numbers of files: {corpora}."
    for condition, why in plan.not_run.items():
        yield f"Not planned: {condition}, because {why} (--optional plans it anyway)."


def _disk(plan: RunPlan, room: Room, root: Path, free: int) -> Iterator[str]:
    yield f"Disk, estimated: {_gigabytes(plan.peak_bytes)} at the peak, with one job at a time."
    yield (
        f"Still to be written in {root.resolve()}: {_gigabytes(room.num_bytes)} in {room.files:,} files; "
        f"free there: {free / GB:,.2f} GB."
    )


def _gigabytes(amount: Amount) -> str:
    return f"{'' if amount.is_complete else 'at least '}{amount.least / GB:,.2f} GB"
