"""The section `tracing` of an experiment: tasks of source tracing by name."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from codecfake.base.settings import DERIVED, Fault, FaultsError, Filled, Pattern, fault
from codecfake.base.suggestions import unknown
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.experiment.sections import Count, Name, Names, Seed
from codecfake.protocols.traced_quantities import Quantity
from codecfake.protocols.tracing import is_bonafide_speech

TracedSource = Annotated[
    str,
    Pattern(
        f"[A-Za-z0-9][A-Za-z0-9_-]*(/({BONAFIDE}|{SPOOF}))?",
        f"a source: the name of one, or CORPUS/{BONAFIDE} or CORPUS/{SPOOF} for recordings of a corpus",
    ),
]
EACH = "each"  # of `leave_out`
TracedSources = Annotated[list[TracedSource], Filled()]


@dataclass(frozen=True)
class Tracing:
    """Which sources a model tells apart, or what it predicts of them, and which it has never heard in training."""

    domain: Name  # whose train and dev lists are used, without other sources than those in training
    detectors: Names
    # class -> its sources; F00 are bona fide recordings
    classes: Annotated[dict[Name, TracedSources], Filled()] = field(default_factory=dict)
    predict: Literal["class"] | Quantity = "class"
    sources: TracedSources = field(default_factory=list)  # of a regression, in place of classes
    unseen: list[TracedSource] = field(default_factory=list)  # sources that are not in training
    leave_out: Literal["each"] | Names | None = None  # classes, or sources of a regression: a further task without each
    epochs: Count = 10
    halve_every: Count = 2
    strategy: Name = "erm"
    seeds: Annotated[list[Seed], Filled()] = field(default_factory=lambda: [1])
    training: dict[str, Any] = field(default_factory=dict)  # where it differs from `training` and `detector_training`
    part_of: str = field(default="", metadata={DERIVED: True})  # the task that leaves one out, of a task without it

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise FaultsError("", faults)

    @property
    def quantity(self) -> Quantity | None:
        """What a regression predicts."""
        return None if self.predict == "class" else self.predict

    @property
    def is_regression(self) -> bool:
        return self.quantity is not None

    def left_out(self) -> list[str]:
        """The classes, or sources, that are left out in turn; `each` are all classes without bona fide recordings."""
        if self.leave_out is None or self.leave_out == EACH:
            return [name for name in self._parts() if self.leave_out and not self._is_bonafide(name)]
        return list(self.leave_out)

    def without(self, name: str) -> "Tracing":
        """The task whose unseen sources are those of a class, or one source of a regression, and no others.

        Its metrics of unseen sources are then of this codec or rate alone.
        """
        classes = {label: sources for label, sources in self.classes.items() if label != name}
        sources = [source for source in self.sources if source != name]
        return replace(self, classes=classes, sources=sources, unseen=self.classes.get(name, [name]), leave_out=None)

    def _parts(self) -> list[str]:
        return self.sources if self.is_regression else list(self.classes)

    def _is_bonafide(self, name: str) -> bool:
        return any(is_bonafide_speech(source) for source in self.classes.get(name, []))

    def _faults(self) -> Iterator[Fault]:
        key, other = ("sources", "classes") if self.is_regression else ("classes", "sources")
        if not getattr(self, key):
            yield Fault((key,), f"it is missing; `predict: {self.predict}` needs {key}")
        if getattr(self, other):
            yield Fault((other,), f"`predict: {self.predict}` has {key} instead; remove it, or change `predict`")
        for name in self.left_out():
            if name not in self._parts():
                yield Fault(("leave_out",), unknown(key, name, self._parts()))
        if self.leave_out and len(self._parts()) < 3:
            text = f"{len(self._parts())} {key} without one leave nothing to tell apart; give three or more"
            yield Fault(("leave_out",), text)


def with_left_out(tasks: dict[str, Tracing]) -> dict[str, Tracing]:
    """The tasks, each followed by those that leave out one of its classes: `codecs-without-encodec`.

    Raises FaultsError if another task has the name of one of these.
    """
    result: dict[str, Tracing] = {}
    for name, task in tasks.items():
        result[name] = task
        for part in task.left_out():
            further = f"{name}-without-{part}"
            if further in tasks and tasks[further].part_of != name:
                raise fault(f"it has the name of the task {name} without {part}; rename it", "tracing", further)
            result[further] = replace(task.without(part), part_of=name)
    return result
