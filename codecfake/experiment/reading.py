"""Reading an experiment file: values, types and rules, with all faults in one message."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base import partial, plugins, settings
from codecfake.base.settings import Fault, Keys
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import codecs, layers, references, trainings
from codecfake.experiment.layers import Layers
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Corpus

SECTIONS = ("corpora", "codecs", "domains", "conditions", "detectors", "training_sets", "strategies")


@dataclass(frozen=True)
class Reading:
    """An experiment file, its faults, and the experiment without the faulty values, if that still is one."""

    layers: Layers
    faults: list[Fault]
    experiment: Experiment | None

    def messages(self, faults: list[Fault]) -> list[str]:
        """Each fault once, in words, with its file and line."""
        return list(dict.fromkeys(map(self.layers.message, faults)))

    def corpora(self) -> dict[str, Corpus]:
        """Those that have no fault."""
        section = self.layers.values().get("corpora")
        entries = section.items() if isinstance(section, dict) else ()
        sections = {name: partial.sound(Corpus, values) for name, values in entries if isinstance(values, dict)}
        return {name: corpus for name, (corpus, faults) in sections.items() if corpus is not None and not faults}


def load(path: Path) -> Experiment:
    """Read and check an experiment. Raises ConfigurationError naming file, line, key, rule and remedy of each fault."""
    reading = check(path)
    if reading.faults or reading.experiment is None:
        raise ConfigurationError("\n".join(reading.messages(reading.faults)))
    return reading.experiment


def check(path: Path) -> Reading:
    """Read and check an experiment. Raises ConfigurationError only if there are no values to check."""
    plugins.look_beside(path)
    files = layers.read(path)
    values = files.values()
    faults = settings.faults_of(Experiment, values)
    faults += _rule_faults(values, faults)
    return Reading(files, faults, _sound(values, faults))


def read(path: Path) -> dict[str, Any]:
    """The values of an experiment file, merged into those of the one it is `based_on`, if any."""
    return layers.read(path).values()


def _rule_faults(values: dict[str, Any], faults: list[Fault]) -> list[Fault]:
    """The broken rules, as far as they can be checked beside other faulty values."""
    experiment = partial.built_without(Experiment, values, [fault.place for fault in faults])
    if experiment is not None and not any(_is_name(fault.place) for fault in faults):
        return [*references.faults(experiment), *trainings.faults(experiment)]
    # names may refer to what is omitted now, so references cannot be checked
    experiment = partial.built_without(Experiment, values, [fault.place[:2] for fault in faults])
    if experiment is None:
        return []
    return [*codecs.own_faults(experiment), *trainings.faults(experiment)]


def _is_name(place: Keys) -> bool:
    """Whether other parts of an experiment can refer to the value at a place."""
    is_source = len(place) == 4 and place[0] == "codecs" and place[2] == "sources"
    return is_source or (len(place) == 2 and place[0] in SECTIONS)


def _sound(values: dict[str, Any], faults: list[Fault]) -> Experiment | None:
    """The experiment without faulty values, or without what contains them; None if its names would lead nowhere."""
    for length in (None, 2, 1):
        experiment = partial.built_without(Experiment, values, [fault.place[:length] for fault in faults])
        if experiment is not None and (not faults or not list(references.faults(experiment))):
            return experiment
    return None
