"""Reading an experiment file: values, types and rules, with all faults in one message."""

import copy
from pathlib import Path
from typing import Any

from codecfake.base import plugins, settings
from codecfake.base.settings import Fault
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import layers, references, trainings
from codecfake.experiment.schema import Experiment


def load(path: Path) -> Experiment:
    """Read and check an experiment. Raises ConfigurationError naming file, line, key, rule and remedy of each fault."""
    plugins.look_beside(path)
    files = layers.read(path)
    values = files.values()
    faults = settings.faults_of(Experiment, values)
    faults += _rule_faults(values, faults)
    if faults:
        raise ConfigurationError("\n".join(dict.fromkeys(map(files.located, faults))))
    return settings.build(Experiment, values)


def read(path: Path) -> dict[str, Any]:
    """The values of an experiment file, merged into those of the one it is `based_on`, if any."""
    return layers.read(path).values()


def _rule_faults(values: dict[str, Any], faults: list[Fault]) -> list[Fault]:
    """The broken rules, as far as they can be checked beside other faulty values."""
    experiment = _without(values, [fault.place for fault in faults])
    if experiment is not None:
        return [*references.faults(experiment), *trainings.faults(experiment)]
    # names may refer to sections that are omitted now, so references cannot be checked
    experiment = _without(values, [fault.place[:2] for fault in faults])
    if experiment is None:
        return []
    return [*references.of_single_codecs(experiment), *trainings.faults(experiment)]


def _without(values: dict[str, Any], places: list[tuple[str, ...]]) -> Experiment | None:
    """The experiment without some values; None if the rest is not an experiment."""
    values = copy.deepcopy(values)
    for place in places:
        _remove(values, place)
    try:
        return settings.build(Experiment, values)
    except ValueError:
        return None


def _remove(values: Any, keys: tuple[str, ...]) -> None:
    for key in keys[:-1]:
        values = values.get(key) if isinstance(values, dict) else None
    if keys and isinstance(values, dict):
        values.pop(keys[-1], None)
