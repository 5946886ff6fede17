"""Checks the settings of every training of an experiment, and reports faults where they are written."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from typing import Any

from codecfake.base.precision_names import AUTO, TF32
from codecfake.base.settings import Fault, Keys, as_faults, faults_of, unknown_setting
from codecfake.base.suggestions import unknown
from codecfake.detectors.front_end_settings import INCLUDED, RANDOM
from codecfake.experiment.schema import Experiment
from codecfake.features.settings import EXACT
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
    for detector, values in experiment.detector_training.items():
        if detector not in experiment.detectors:
            yield Fault(("detector_training",), unknown("detector", detector, experiment.detectors))
        yield from _misplaced(("detector_training", detector), values)
    yield from _value_faults(experiment)


def device_faults(experiment: Experiment, device: str) -> Iterator[Fault]:
    """Settings that need CUDA, if every job runs on the CPU."""
    sections: dict[Keys, dict[str, Any]] = {("training",): experiment.training}
    sections |= {("training_sets", name, "settings"): each.settings for name, each in experiment.training_sets.items()}
    sections |= {("detector_training", name): values for name, values in experiment.detector_training.items()}
    for keys, values in sections.items():
        if device == "cpu" and values.get("fine_tuning", {}).get("precision", EXACT) != EXACT:
            text = f"it needs CUDA, but config.yaml has `device: cpu`; set it to {EXACT}, or change the device"
            yield Fault((*keys, "fine_tuning", "precision"), text)
    yield from _codec_device_faults(experiment, device)


def _codec_device_faults(experiment: Experiment, device: str) -> Iterator[Fault]:
    sections: dict[Keys, dict[str, Any]] = {
        ("codecs", name, "training"): codec.training for name, codec in experiment.codecs.items()
    }
    if experiment.codec_training is not None:
        sections["codec_training", "settings"] = experiment.codec_training.settings
    for keys, values in sections.items():
        if device == "cpu" and values.get("precision") == TF32:
            text = f"{TF32} needs CUDA, but config.yaml has `device: cpu`; set it to {AUTO}, or change the device"
            yield Fault((*keys, "precision"), text)


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
    for detector, (name, training_set) in product(detectors, experiment.training_sets.items()):
        own = experiment.detector_training.get(detector, {})
        common = {**experiment.training, **training_set.settings, **own}
        values = {
            **{key: value for key, value in common.items() if key in SETTINGS},
            "detector": detectors[detector],
            "epochs": training_set.epochs,
            "halve_every": training_set.halve_every,
        }
        for fault in faults_of(TrainSettings, values):
            keys = ("training_sets", name, "settings")
            places = {("detector_training", detector): own, keys: training_set.settings}
            placed = _placed(fault, places)
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


def _placed(fault: Fault, places: dict[Keys, dict[str, Any]]) -> Fault:
    """The fault of a training, at the section of the experiment that causes it: the first of `places` that has it."""
    key = fault.place[0] if fault.place else ""
    return fault.below(*next((keys for keys, values in places.items() if key in values), ("training",)))
