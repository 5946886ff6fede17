"""Settings of the tables of source tracing."""

from dataclasses import dataclass, field

from codecfake.protocols.traced_quantities import TracedQuantity
from codecfake.protocols.tracing import sources_of
from codecfake.statistics.intervals import BootstrapSettings


@dataclass(frozen=True)
class TracedTask:
    """What a task tells apart or predicts, and the models that do: `{detector}/seed{seed}`."""

    models: list[str]
    classes: dict[str, list[str]] = field(default_factory=dict)  # class -> its sources
    regression: TracedQuantity | None = None  # in place of classes
    unseen: list[str] = field(default_factory=list)
    unseen_values: dict[str, float] = field(default_factory=dict)  # of a regression: unseen source -> its value, if any
    conditions: list[str] = field(default_factory=list)  # whose protocols have the trials, with their speakers

    @property
    def training_sources(self) -> list[str]:
        """The sources in training."""
        return sources_of(self.classes) if self.regression is None else list(self.regression.values)

    @property
    def columns(self) -> list[str]:
        """Of outputs, in score files."""
        return list(self.classes) if self.regression is None else [self.regression.column]


@dataclass(frozen=True)
class TracingTableSettings:
    tasks: dict[str, TracedTask]
    left_out: dict[str, list[str]] = field(default_factory=dict)  # task -> the tasks that leave out a part of it
    speakers_of: dict[str, str] = field(default_factory=dict)  # see `people.SpeakersOf`
    resamples: int = 1000  # of intervals
    seed: int = 1

    @property
    def bootstrap(self) -> BootstrapSettings:
        return BootstrapSettings(resamples=self.resamples)

    def of_classes(self) -> dict[str, TracedTask]:
        """The tasks that tell classes apart."""
        return {name: task for name, task in self.tasks.items() if task.regression is None}

    def regressions(self) -> dict[str, TracedTask]:
        """The other tasks."""
        return {name: task for name, task in self.tasks.items() if task.regression is not None}
