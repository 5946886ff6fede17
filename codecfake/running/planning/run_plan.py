"""The plan of a whole run: its jobs as steps, the rates behind them, and what is unknown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import codec_wrappers
from codecfake.base import installation
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.outputs import outputs, rule_name, stage
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.generators import rates as generator_rates
from codecfake.running.planning.costs import Costs
from codecfake.running.planning.counts import CorpusCounts
from codecfake.running.planning.gpu_tasks import Hours, gpu_tasks
from codecfake.running.planning.rates import RateTable
from codecfake.running.planning.schedule import Task, WallTime, wall_time
from codecfake.running.planning.steps import Amount, Room, Step, amount, total
from codecfake.tables.published import Published

BLOCK = 4096  # bytes that a small file takes on the disk


@dataclass(frozen=True)
class RunPlan:
    """The cost of a run, step by step."""

    title: str
    device: str  # gpu or cpu
    steps: tuple[Step, ...]
    rate_of: Mapping[str, codec_wrappers.Rate]  # those in use
    by_published_size: tuple[str, ...]  # corpora that are not ingested yet
    unknown: Mapping[str, str]  # what has no known size or rate -> the setting that would supply it
    not_run: Mapping[str, str]  # condition -> why
    tasks: tuple[Task, ...]  # the jobs with known hours on GPUs

    @property
    def total(self) -> Step:
        """All steps as one."""
        return total("", "total", self.steps)

    @property
    def peak_bytes(self) -> Amount:
        """With one job at a time: all outputs, and the largest temporary files of a job."""
        return self.total.bytes_out + self.total.passing_bytes

    def wall_time(self, gpus: int) -> WallTime | None:
        """The time on a number of GPUs, one for each job; None if nothing runs on GPUs, or if no hours are known."""
        return wall_time(self.tasks, gpus)

    def longest(self) -> dict[str, Task]:
        """The longest job on a GPU of each kind, such as `resynthesize`."""
        by_hours = sorted(self.tasks, key=lambda task: task.hours)
        return {task.name.split()[0]: task for task in by_hours}

    def to_write(self, root: Path, outputs: frozenset[str] | None = None) -> Room:
        """What is still missing on the disk: everything, or what the jobs for `outputs` write."""
        rooms = [step.to_write(root, outputs) for step in self.steps]
        return Room(sum((room.num_bytes for room in rooms), Amount()), sum(room.files for room in rooms))

    def warnings(self) -> list[str]:
        """One line for each thing without a known size or rate."""
        return [
            f"{thing} is unknown, so the plan of this run is incomplete; to complete it, give {remedy}"
            for thing, remedy in self.unknown.items()
        ]


def plan(
    experiment: Experiment, root: Path, rate_table: RateTable, device: str, folders: Mapping[str, Path] | None = None
) -> RunPlan:
    """The plan of an experiment in a run directory, on a device (`gpu` or `cpu`), with its corpora in `folders`.

    Raises SettingsError if a rate of the user has an unknown name.
    """
    for name, codec in experiment.codecs.items():
        rate_table.shipped |= codec_wrappers.rates_by_name(name, codec.wrapper)
    for name, generation in experiment.generated().items():
        rate_table.shipped |= generator_rates.rates_by_name(name, generation.generator)
    jobs = Jobs(experiment, Papers(experiment, Published(installation.paper_tables())), {})
    counts = CorpusCounts(experiment.corpora, root, jobs.synthesize_demo().settings, folders or {})
    steps, hours = _steps(experiment, Costs(experiment, jobs, counts, rate_table, device))
    rate_table.check_own()
    unknown = {
        f"the size of corpus {name}": "its `size: {hours: …, bonafide: …}` in the experiment"
        for name in counts.unknown()
    }
    unknown |= {name: f"`codecfake plan --rate {name}=NUMBER`" for name in rate_table.unknown}
    published = tuple(name for name in experiment.corpora if not counts.is_exact(name))
    tasks = gpu_tasks(experiment, hours)
    return RunPlan(experiment.title, device, steps, rate_table.used, published, unknown, experiment.not_run, tasks)


def _steps(experiment: Experiment, costs: Costs) -> tuple[tuple[Step, ...], Hours]:
    """The steps of all rules, and of files that belong to no job; and the hours of each job on GPUs."""
    by_rule: dict[str, list[Step]] = {}
    hours: Hours = {}
    for job in costs.jobs.walk():
        paths, cost = outputs(job, experiment), costs.of(job)
        step = Step(stage=stage(job), rule=rule_name(job), jobs=paths, **vars(cost))
        by_rule.setdefault(step.rule, []).append(step)
        hours[job] = cost.gpu_hours.least, len(paths)
    steps = [total(parts[0].stage, rule, parts) for rule, parts in by_rule.items()]
    # logs and times of the jobs, and for every output its digest and Snakemake's record
    files = sum(2 * len(step.jobs) + 2 * sum(map(len, step.jobs)) for step in steps)
    records = Step(stage="all", rule="(logs and records)", bytes_out=amount(BLOCK * files), other_files=files)
    return (*steps, records), hours
