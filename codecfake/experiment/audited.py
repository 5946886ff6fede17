"""The settings of the audit, from an experiment."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import codec_wrappers
from codecfake.base.settings import Fault
from codecfake.base.suggestions import unknown
from codecfake.experiment import ladders
from codecfake.experiment.schema import Experiment

TABLES = ("overlap", "duplicates", "twins", "counts", "shortcuts")  # written by an audit


def settings(experiment: Experiment) -> dict[str, Any]:
    """Plain values of `AuditSettings`."""
    return {
        "domains": {name: {"split_by": domain.split.by} for name, domain in experiment.domains.items()},
        "conditions": {name: _condition(experiment, name) for name in experiment.conditions},
        "training_sets": {name: item.domains for name, item in experiment.training_sets.items()},
        "corpora": corpora(experiment),
        "codec_training": codec_training(experiment),
        "aliases": experiment.aliases(),
        "controls": controls(experiment),
        "limits": asdict(experiment.audit),
        "seed": experiment.seed,
        **_filled({"speakers_of": experiment.speakers_of()}),
    }


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Exemptions for a source that no condition, degraded or not, and no codec has: they would do nothing."""
    sources = [source for codec in experiment.codecs.values() for source in codec.sources]
    sources += [condition.spoof.source for condition in experiment.conditions.values()]
    for key in experiment.audit.exempt:
        source = key.rpartition("/")[0]
        if source and source not in sources:
            yield Fault(("audit", "exempt"), unknown("source", source, list(dict.fromkeys(sources))), key)


def controls(experiment: Experiment) -> list[str]:
    """Sources whose codec returns its input unchanged."""
    controls = [codec for codec in experiment.codecs.values() if codec_wrappers.entry(codec.wrapper).is_control]
    return [source for codec in controls for source, rule in codec.sources.items() if rule.same_as is None]


def corpora(experiment: Experiment) -> list[str]:
    """Corpora used in training or evaluation."""
    return list(dict.fromkeys(corpus for corpus, _ in experiment.all_audio()))


def codec_training(experiment: Experiment) -> list[str]:
    """Corpora that codecs of this run are trained on."""
    trains = any(experiment.is_trained(codec) for codec in ladders.codecs_used(experiment))
    return experiment.codec_training.corpora if trains and experiment.codec_training is not None else []


def _condition(experiment: Experiment, name: str) -> dict[str, Any]:
    condition = experiment.conditions[name]
    sides = {"bonafide": condition.bonafide, "spoof": condition.spoof}
    return {
        "domains": list(dict.fromkeys(side.domain for side in sides.values() if side.domain is not None)),
        "all_of": [key for key, side in sides.items() if side.utterances == "all"],
        **_filled({"speakers_of": experiment.speakers_of_condition(name)}),
    }


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
