"""Which codecs each training set has, and which it holds out, by the conditions that evaluate their fakes."""

from codecfake.base.degraded_names import degradation_of
from codecfake.experiment import released
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS

Conditions = dict[str, list[str]]  # training set -> conditions


def settings(experiment: Experiment) -> dict[str, Conditions]:
    """Values of `TableSettings`; empty if no training set holds out a codec that another has.

    A set with less than half of all codecs holds none out: it shows what one codec teaches, not what one lacks.
    """
    codecs = {name: _codecs(experiment, name) for name in dict.fromkeys(_training_sets(experiment))}
    anywhere = set().union(*codecs.values())
    trained = {name: _conditions(experiment, own) for name, own in codecs.items() if own}
    large = {name: own for name, own in codecs.items() if own and 2 * len(own) >= len(anywhere)}
    held_out = {name: _conditions(experiment, anywhere - own) for name, own in large.items()}
    return {"held_out": held_out, "trained": trained} if any(held_out.values()) else {}


def _training_sets(experiment: Experiment) -> list[str]:
    return [name.split("/")[1] for name in released.trained_names(experiment)]


def _codecs(experiment: Experiment, training_set: str) -> set[str]:
    domains = (experiment.domains[name] for name in experiment.training_sets[training_set].domains)
    return {experiment.codec_of(source) for domain in domains for source in domain.sources}


def _conditions(experiment: Experiment, codecs: set[str]) -> list[str]:
    """The conditions whose spoofs come from one of these codecs."""
    sources = {
        name: condition.spoof.source for name, condition in experiment.conditions.items() if not degradation_of(name)
    }
    return [name for name, source in sources.items() if source != RECORDINGS and experiment.codec_of(source) in codecs]
