"""The plan of a whole run, and whether the disk holds what it still has to write."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.experiment import reading
from codecfake.experiment.configuration import configuration
from codecfake.experiment.optional_corpora import with_roots
from codecfake.experiment.schema import Experiment
from codecfake.experiment.site import experiment_path
from codecfake.running.planning.audio import AudioSteps
from codecfake.running.planning.corpus_counts import Holdings
from codecfake.running.planning.detection import DetectionSteps
from codecfake.running.planning.lists import Lists
from codecfake.running.planning.rates import Rate, Rates
from codecfake.running.planning.steps import Left, Step, total

BLOCK = 4096  # bytes that a small file takes


class DiskError(RuntimeError):
    """The disk cannot hold a run."""


@dataclass(frozen=True)
class RunPlan:
    """What a run takes, step by step."""

    title: str
    device: str  # gpu or cpu
    steps: tuple[Step, ...]
    rates: Mapping[str, Rate]  # those that it rests on
    believed: tuple[str, ...]  # corpora that are planned by their published sizes
    not_run: Mapping[str, str]  # condition -> why

    @property
    def jobs(self) -> int:
        return sum(len(step.jobs) for step in self.steps)

    @property
    def peak_bytes(self) -> float:
        """With one job at a time: what stays, and the most that a job holds beside it while it runs."""
        return sum(step.bytes_out for step in self.steps) + max(step.passing_bytes for step in self.steps)


def planned(config: Mapping[str, Any], base: Path, optional: bool = False) -> Experiment:
    """The experiment that config.yaml names, without asking that its corpora be there.

    Optional corpora without a root are left out, as in a run, unless `optional`. Raises ConfigurationError.
    """
    settings = configuration(config)
    experiment = reading.load(experiment_path(settings.experiment, base))
    roots = dict(settings.corpora)
    wanted = (name for name, corpus in experiment.corpora.items() if optional or not corpus.optional)
    return with_roots(experiment, roots | {name: roots.get(name) or "not yet there" for name in wanted})


def plan(
    experiment: Experiment, root: Path, rates: Rates, device: str, roots: Mapping[str, Path] | None = None
) -> RunPlan:
    """The plan of an experiment in a run directory, on a device (`gpu` or `cpu`), with its corpora at `roots`.

    Raises SizeError for a corpus of unknown size, and RateError for a step of unknown speed.
    """
    holdings = Holdings(experiment.corpora, root / "results", experiment.demo, roots or {})
    audio = AudioSteps(experiment, holdings, rates, device)
    shards = tuple(audio.steps())
    later = DetectionSteps(experiment, Lists(experiment, holdings), rates, device).steps()
    steps = (*shards, *later, Step("all", "all", ((),)))
    believed = tuple(corpus for corpus in experiment.corpora if not holdings.is_known(corpus))
    return RunPlan(experiment.title, device, (*steps, _records(steps)), rates.used, believed, experiment.not_run)


def _records(steps: tuple[Step, ...]) -> Step:
    """Logs and times of the jobs, and of every output what Snakemake notes and its digest."""
    files = sum(2 * len(step.jobs) + 2 * sum(map(len, step.jobs)) for step in steps)
    return Step("all", "(logs and records)", (), bytes_out=BLOCK * files, other_files=files)


def left(found: RunPlan, root: Path, wanted: frozenset[str] | None = None) -> Left:
    """What is still to be written: all that is not there, or what the jobs make that have a `wanted` output."""
    return total(step.left(root, wanted) for step in found.steps)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the disk of a folder, or of where it is going to be."""
    disk = os.statvfs(_existing(folder))
    return disk.f_bavail * disk.f_frsize


def require_room(needed: Left, folder: Path) -> None:
    """Raise DiskError, with the numbers, if the disk of `folder` has fewer bytes or files free than needed."""
    disk = os.statvfs(_existing(folder))
    free = free_bytes(folder)
    remedy = (
        "Free some, run in a folder on another disk (snakemake --directory), or make the experiment smaller; "
        "`python -m codecfake plan` shows what takes it. The sizes are estimates: `check_disk: false` in config.yaml "
        "starts the run in spite of them"
    )
    if needed.num_bytes > free:
        raise DiskError(
            f"{folder.resolve()}: {needed.num_bytes:,.0f} bytes are needed, but {free:,} are available there. {remedy}"
        )
    if disk.f_files and needed.files > disk.f_favail:
        raise DiskError(
            f"{folder.resolve()}: {needed.files:,} files are needed, but {disk.f_favail:,} are available. {remedy}"
        )


def _existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
