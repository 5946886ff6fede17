"""The section `tracing` of an experiment: tasks of source tracing by name."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from codecfake.base.settings import Filled
from codecfake.experiment.sections import Count, Name, Names, Seed


@dataclass(frozen=True)
class Tracing:
    """Which sources a model tells apart, and which it has never heard in training."""

    domain: Name  # whose train and dev lists are used, without the sources of no class
    classes: Annotated[dict[Name, Names], Filled()]  # class -> its sources; F00 are the recordings
    detectors: Names
    unseen: Names = field(default_factory=list)  # sources of no class, for the open set
    epochs: Count = 10
    halve_every: Count = 2
    strategy: Name = "erm"
    seeds: Annotated[list[Seed], Filled()] = field(default_factory=lambda: [1])
    training: dict[str, Any] = field(default_factory=dict)  # where it differs from `training` and `detector_training`
