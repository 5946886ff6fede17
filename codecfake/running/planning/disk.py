"""Whether the remaining outputs of a run fit on the disk."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from codecfake.experiment.schema import Experiment
from codecfake.running.planning import rates, run_plan
from codecfake.running.planning.steps import Room

REMEDY = (
    "Free some, run in a folder on another disk (snakemake --directory), or make the experiment smaller; "
    "`codecfake plan` shows what takes the space. The sizes are estimates: `check_disk: false` in config.yaml "
    "starts the run anyway"
)


class DiskError(RuntimeError):
    """A run does not fit on the disk."""


def check_run(
    experiment: Experiment, outputs: Iterable[object], device: str, folders: Mapping[str, Path], root: Path = Path()
) -> list[str]:
    """Warnings about unknown sizes, before a run that makes `outputs` in `root`. Raises DiskError on a shortage."""
    plan = run_plan.plan(experiment, root, rates.load(), device, folders)
    require_room(plan.to_write(root, frozenset(map(str, outputs))), root)
    return plan.warnings()


def require_room(room: Room, folder: Path) -> None:
    """Raise DiskError, with the numbers, if the disk of `folder` has fewer free bytes or files than needed."""
    disk, free = _disk_of(folder), free_bytes(folder)
    shortage = ""
    if room.num_bytes.least > free:
        shortage = f"{room.num_bytes.least:,.0f} bytes are needed, but {free:,} are available"
    elif disk.f_files and room.files > disk.f_favail:
        shortage = f"{room.files:,} files are needed, but {disk.f_favail:,} are available"
    if shortage:
        raise DiskError(f"{folder.resolve()}: {shortage}. {REMEDY}")


def free_bytes(folder: Path) -> int:
    """Bytes that an ordinary user may still write to the disk of a folder, which need not exist yet."""
    disk = _disk_of(folder)
    return disk.f_bavail * disk.f_frsize


def _disk_of(folder: Path) -> os.statvfs_result:
    return os.statvfs(next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists()))
