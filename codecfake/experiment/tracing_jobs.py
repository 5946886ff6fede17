"""The settings of the jobs of source tracing; their wildcards are the task, the detector and the seed."""

from collections.abc import Iterator

from codecfake.experiment import tracing_tasks
from codecfake.experiment.job import Job, job
from codecfake.experiment.schema import Experiment
from codecfake.tables.tracing_settings import TracingTableSettings
from codecfake.training.tracing_settings import TracingSettings


class TracingJobs:
    _experiment: Experiment

    def of_tracing(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every job, in the order of the rules."""
        places = tracing_tasks.places(self._experiment)
        yield from (("train_tracer", place) for place in places)
        yield from (("trace", place) for place in places)
        if places:
            yield "tabulate_tracing", ()

    def train_tracer(self, task: str, detector: str, seed: str) -> Job[TracingSettings]:
        return job(TracingSettings, tracing_tasks.settings(self._experiment, task, detector, int(seed)))

    def tabulate_tracing(self) -> Job[TracingTableSettings]:
        tasks = {
            name: {
                "classes": tracing_tasks.classes(self._experiment, name),
                "unseen": tracing_tasks.unseen(self._experiment, name),
                "models": [f"{each}/seed{seed}" for each in rule.detectors for seed in rule.seeds],
            }
            for name, rule in self._experiment.tracing.items()
        }
        return job(TracingTableSettings, {"tasks": tasks})
