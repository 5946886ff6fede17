"""The settings of the jobs of source tracing; their wildcards are the task, the detector and the seed."""

from collections.abc import Iterator
from typing import Any

from codecfake.experiment import tracing_tasks
from codecfake.experiment.job import Job, filled, job
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
        e = self._experiment
        speakers_of = e.speakers_of()
        for name in e.conditions:
            speakers_of |= e.speakers_of_condition(name)
        tasks = {name: self._traced_task(name) for name in e.tracing}
        further = filled({"left_out": tracing_tasks.left_out(e), "speakers_of": speakers_of})
        return job(TracingTableSettings, {"tasks": tasks, **further})

    def _traced_task(self, name: str) -> dict[str, Any]:
        """Values of `TracedTask`."""
        e, rule = self._experiment, self._experiment.tracing[name]
        unseen = tracing_tasks.unseen(e, name)
        models = [f"{each}/seed{seed}" for each in rule.detectors for seed in rule.seeds]
        common = {"models": models, "unseen": unseen, "conditions": tracing_tasks.conditions(e, name)}
        if not rule.is_regression:
            return {"classes": tracing_tasks.classes(e, name), **common}
        values = tracing_tasks.values(e, name, unseen)
        return {"regression": tracing_tasks.regression(e, name), "unseen_values": values, **common}
