"""The plan of a whole run: all steps, the rates behind them, and what is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.experiment import reading
from codecfake.experiment.configuration import configuration
from codecfake.experiment.optional_corpora import with_roots
from codecfake.experiment.schema import Experiment
from codecfake.experiment.site import experiment_path
from codecfake.running.planning import audio_steps, detector_steps, rates
from codecfake.running.planning.basis import Basis
from codecfake.running.planning.counts import CorpusCounts
from codecfake.running.planning.rates import Rate, Rates
from codecfake.running.planning.steps import Room, Step, add, most, total
from codecfake.running.planning.trials import TrialCounts

BLOCK = 4096  # bytes that a small file takes on the disk


@dataclass(frozen=True)
class RunPlan:
    """The cost of a run, step by step."""

    title: str
    device: str  # gpu or cpu
    steps: tuple[Step, ...]
    rates: Mapping[str, Rate]  # those in use
    by_published_size: tuple[str, ...]  # corpora that are not ingested yet
    unknown: Mapping[str, str]  # what has no known size or rate -> the setting that would supply it
    not_run: Mapping[str, str]  # condition -> why

    @property
    def jobs(self) -> int:
        return sum(len(step.jobs) for step in self.steps)

    @property
    def peak_bytes(self) -> float:
        """With one job at a time: all outputs, and the largest temporary files of a job."""
        return add(step.bytes_out for step in self.steps) + most(step.passing_bytes for step in self.steps)

    def to_write(self, root: Path, outputs: frozenset[str] | None = None) -> Room:
        """What is still missing on the disk, as far as known: everything, or what the jobs for `outputs` write."""
        return total(step.to_write(root, outputs) for step in self.steps)

    def warnings(self) -> list[str]:
        """One line for each thing without a known size or rate."""
        return [
            f"{thing} is unknown, so the plan of the run lacks it; give {remedy}"
            for thing, remedy in self.unknown.items()
        ]


def read_experiment(config: Mapping[str, Any], base: Path, optional: bool = False) -> Experiment:
    """The experiment that config.yaml names; its corpora need not exist.

    Optional corpora without a root are omitted, as in a run, unless `optional`. Raises ConfigurationError.
    """
    settings = configuration(config)
    experiment = reading.load(experiment_path(settings.experiment, base))
    roots = dict(settings.corpora)
    names = (name for name, corpus in experiment.corpora.items() if optional or not corpus.optional)
    return with_roots(experiment, roots | {name: roots.get(name) or "not yet there" for name in names})


def plan(
    experiment: Experiment, root: Path, rate_table: Rates, device: str, roots: Mapping[str, Path] | None = None
) -> RunPlan:
    """The plan of an experiment in a run directory, on a device (`gpu` or `cpu`), with its corpora at `roots`.

    Raises RateError if a rate of the user has an unknown name.
    """
    for name, codec in experiment.codecs.items():
        rate_table.add(rates.of_codec(codec.wrapper, audio_steps.rate_part(name, codec.wrapper)))
    corpora = CorpusCounts(experiment.corpora, root / "results", experiment.demo, roots or {})
    basis = Basis(experiment, corpora, TrialCounts(experiment, corpora), rate_table, device)
    steps = (*audio_steps.steps(basis), *detector_steps.steps(basis), Step("all", "all", ((),)))
    rate_table.check_own()
    unknown = {
        f"the size of corpus {name}": "its `size: {hours: …, bonafide: …}` in the experiment"
        for name in corpora.unknown()
    }
    unknown |= {name: f"`codecfake plan --rate {name}=NUMBER`" for name in rate_table.unknown}
    published = tuple(name for name in experiment.corpora if not corpora.is_exact(name))
    every = (*steps, _records(steps))
    return RunPlan(experiment.title, device, every, rate_table.used, published, unknown, experiment.not_run)


def _records(steps: tuple[Step, ...]) -> Step:
    """Logs and times of the jobs, and for every output its digest and Snakemake's record."""
    files = sum(2 * len(step.jobs) + 2 * sum(map(len, step.jobs)) for step in steps)
    return Step("all", "(logs and records)", (), bytes_out=BLOCK * files, other_files=files)
