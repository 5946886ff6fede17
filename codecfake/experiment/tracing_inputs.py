"""The input files of the jobs of source tracing; their wildcards are the task, the detector and the seed."""

from codecfake.experiment import hub_models, tracing_tasks
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.schema import Experiment


class TracingInputs:
    """Paths relative to the run directory."""

    def __init__(self, experiment: Experiment, inputs: Inputs) -> None:
        self._experiment, self._inputs = experiment, inputs

    def train_lists(self, task: str) -> list[str]:
        """The train protocol of a task's domain."""
        return [f"results/protocols/{self._experiment.tracing[task].domain}/train.tsv"]

    def dev_lists(self, task: str) -> list[str]:
        """Its dev protocol."""
        return [f"results/protocols/{self._experiment.tracing[task].domain}/dev.tsv"]

    def of_training(self, task: str) -> list[str]:
        """Audio of the domain."""
        return self._inputs.lists(self._experiment.audio_of_domain(self._experiment.tracing[task].domain))

    def protocols(self, task: str) -> list[str]:
        """Eval protocols with trials of the task's sources."""
        names = tracing_tasks.conditions(self._experiment, task)
        return [f"results/protocols/eval/{name}.tsv" for name in names]

    def of_scoring(self, task: str) -> list[str]:
        """The audio of these."""
        names = tracing_tasks.conditions(self._experiment, task)
        return self._inputs.lists(pair for name in names for pair in self._experiment.audio_of_condition(name))

    def unseen(self, task: str) -> list[str]:
        """The command-line arguments that name unseen sources."""
        sources = tracing_tasks.unseen(self._experiment, task)
        return ["--unseen", *sources] if sources else []

    def front_end(self, detector: str) -> list[str]:
        """The record of a detector's front-end, if it comes from the hub."""
        return self._inputs.hub_records(hub_models.of_front_end(self._experiment, detector))

    def tables(self) -> list[str]:
        """The tables of all tasks."""
        return [f"results/tables/{name}.csv" for name in tracing_tasks.tables(self._experiment)]

    def all_protocols(self) -> list[str]:
        """Eval protocols of all tasks, which have the speakers of trials."""
        return list(dict.fromkeys(path for task in self._experiment.tracing for path in self.protocols(task)))

    def scores(self) -> list[str]:
        """The score files of all models."""
        return [
            f"results/tracing/scores/{task}/{detector}/seed{seed}.tsv"
            for task, detector, seed in tracing_tasks.places(self._experiment)
        ]
