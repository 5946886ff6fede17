"""Checks the settings of every training of an experiment, and reports faults where they are written."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from typing import Any

from codecfake.base.settings import Fault, as_faults, faults_of, unknown_setting
from codecfake.detectors.front_end_settings import INCLUDED, RANDOM
from codecfake.experiment.schema import Experiment, TrainingSet
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import STRATEGIES, defines, strategy_of

ELSEWHERE = ("detector", "epochs", "halve_every", "strategy", "strategy_settings", "seed", "tensorboard")
SETTINGS = tuple(field.name for field in fields(TrainSettings) if field.name not in ELSEWHERE)
ANY_DETECTOR = {"front_end": {"name": "mel"}, "back_end": {"name": "lcnn"}}  # if the experiment has none


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every setting that a training would reject, each once, unused ones included."""
    yield from _front_end_faults(experiment)
    yield from _strategy_faults(experiment)
    yield from _misplaced(("training",), experiment.training)
    for name, training_set in experiment.training_sets.items():
        yield from _misplaced(("training_sets", name, "settings"), training_set.settings)
    yield from _value_faults(experiment)


def _front_end_faults(experiment: Experiment) -> Iterator[Fault]:
    """Front-ends whose weights only a finished model has."""
    for name, detector in experiment.detectors.items():
        if detector["front_end"].get("weights") == INCLUDED:
            yield Fault(
                ("detectors", name, "front_end", "weights"),
                f"{INCLUDED!r} is for model folders that contain their front-end; give a folder, a hub id or {RANDOM}",
            )


def _misplaced(keys: tuple[str, ...], values: dict[str, Any]) -> Iterator[Fault]:
    """Settings that a training does not have, or that belong to another section of the experiment."""
    for key in values:
        if key not in SETTINGS:
            yield Fault(keys, unknown_setting(key, SETTINGS), key)


def _value_faults(experiment: Experiment) -> Iterator[Fault]:
    """Settings of a training with values that it would reject."""
    unique: dict[tuple[tuple[str, ...], str], Fault] = {}
    detectors = experiment.detectors or {"": ANY_DETECTOR}
    for detector, (name, training_set) in product(detectors.values(), experiment.training_sets.items()):
        common = {**experiment.training, **training_set.settings}
        values = {
            **{key: value for key, value in common.items() if key in SETTINGS},
            "detector": detector,
            "epochs": training_set.epochs,
            "halve_every": training_set.halve_every,
        }
        for fault in faults_of(TrainSettings, values):
            placed = _placed(fault, name, training_set)
            unique.setdefault((placed.keys, placed.text), placed)
    yield from unique.values()


def _strategy_faults(experiment: Experiment) -> Iterator[Fault]:
    for strategy, changes in experiment.strategies.items():
        try:
            strategy_of(strategy, changes)
        except ValueError as error:
            is_known = strategy in STRATEGIES or defines(changes)
            keys = ("strategies", strategy) if is_known else ("strategies",)
            yield from (fault.below(*keys) for fault in as_faults(error))


def _placed(fault: Fault, name: str, training_set: TrainingSet) -> Fault:
    """The fault of a training, at the section of the experiment that causes it."""
    key = fault.place[0] if fault.place else ""
    if key in training_set.settings:
        return fault.below("training_sets", name, "settings")
    return fault.below("training")
