"""The section `tracing` of an experiment: tasks of source tracing by name."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from codecfake.base.settings import Filled, Pattern
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.experiment.sections import Count, Name, Names, Seed

TracedSource = Annotated[
    str,
    Pattern(
        f"[A-Za-z0-9][A-Za-z0-9_-]*(/({BONAFIDE}|{SPOOF}))?",
        f"a source: the name of one, or CORPUS/{BONAFIDE} or CORPUS/{SPOOF} for recordings of a corpus",
    ),
]
TracedSources = Annotated[list[TracedSource], Filled()]


@dataclass(frozen=True)
class Tracing:
    """Which sources a model tells apart, and which it has never heard in training."""

    domain: Name  # whose train and dev lists are used, without the sources of no class
    classes: Annotated[dict[Name, TracedSources], Filled()]  # class -> its sources; F00 are bona fide recordings
    detectors: Names
    unseen: list[TracedSource] = field(default_factory=list)  # sources of no class, for the open set
    epochs: Count = 10
    halve_every: Count = 2
    strategy: Name = "erm"
    seeds: Annotated[list[Seed], Filled()] = field(default_factory=lambda: [1])
    training: dict[str, Any] = field(default_factory=dict)  # where it differs from `training` and `detector_training`
