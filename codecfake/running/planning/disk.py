"""Whether the disk holds what a run still has to write."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from codecfake.experiment.schema import Experiment
from codecfake.running.planning import rates, run_plan
from codecfake.running.planning.steps import Room

REMEDY = (
    "Free some, run in a folder on another disk (snakemake --directory), or make the experiment smaller; "
    "`codecfake plan` shows what takes it. The sizes are estimates: `check_disk: false` in config.yaml "
    "starts the run in spite of them"
)


class DiskError(RuntimeError):
    """The disk cannot hold a run."""


def check_run(
    experiment: Experiment, outputs: Iterable[object], device: str, roots: Mapping[str, Path], root: Path = Path()
) -> list[str]:
    """Warnings about what is unknown, before a run that makes `outputs` in `root`. Raises DiskError on a shortage."""
    plan = run_plan.plan(experiment, root, rates.load(), device, roots)
    require_room(plan.to_write(root, frozenset(map(str, outputs))), root)
    return plan.warnings()


def require_room(needed: Room, folder: Path) -> None:
    """Raise DiskError, with the numbers, if the disk of `folder` has fewer bytes or files free than needed."""
    disk = os.statvfs(_existing(folder))
    free = free_bytes(folder)
    if needed.num_bytes > free:
        raise DiskError(
            f"{folder.resolve()}: {needed.num_bytes:,.0f} bytes are needed, but {free:,} are available there. {REMEDY}"
        )
    if disk.f_files and needed.files > disk.f_favail:
        raise DiskError(
            f"{folder.resolve()}: {needed.files:,} files are needed, but {disk.f_favail:,} are available. {REMEDY}"
        )


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the disk of a folder, or of where it is going to be."""
    disk = os.statvfs(_existing(folder))
    return disk.f_bavail * disk.f_frsize


def _existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
