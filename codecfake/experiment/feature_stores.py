"""The feature stores of an experiment: which trainings share one, and the audio that it has features of."""

from dataclasses import dataclass, field

from codecfake.base.settings import build
from codecfake.experiment import released
from codecfake.experiment.schema import Experiment
from codecfake.features.settings import DISK
from codecfake.features.store_settings import StoreSettings
from codecfake.training.settings import TrainSettings


@dataclass
class Store:
    """The features of a front-end, of all training sets together."""

    detector: str  # one of those with this front-end
    training: TrainSettings  # one of those that read it
    domains: list[str] = field(default_factory=list)  # of the training sets that read it

    @property
    def settings(self) -> StoreSettings:
        return self.training.store


def stores(experiment: Experiment) -> dict[str, Store]:
    """The stores by name, in the order of the models that use them."""
    by_name: dict[str, Store] = {}
    for detector, training_set, *_ in released.wildcards(released.trained_names(experiment)).values():
        training = _training(experiment, detector, training_set)
        if training.cache == DISK:
            store = by_name.setdefault(training.store.name, Store(detector, training))
            new = experiment.training_sets[training_set].domains
            store.domains = list(dict.fromkeys([*store.domains, *new]))
    return by_name


def domains_with(experiment: Experiment, corpus: str, source: str) -> list[str]:
    """The domains whose train and dev lists have trials of a source, those of other detectors included.

    So a new model of known domains changes no input of a finished extraction.
    """
    return [domain for domain in experiment.domains if (corpus, source) in experiment.audio_of_domain(domain)]


def audio(experiment: Experiment, store: Store) -> list[tuple[str, str]]:
    """(corpus, source) of all audio in a store, each once."""
    return list(dict.fromkeys(pair for domain in store.domains for pair in experiment.audio_of_domain(domain)))


def name_for(experiment: Experiment, detector: str, training_set: str) -> str | None:
    """The store that trainings of a detector read; None if they compute their features."""
    training = _training(experiment, detector, training_set)
    return training.store.name if training.cache == DISK else None


def _training(experiment: Experiment, detector: str, training_set: str) -> TrainSettings:
    """The settings of a training; its strategy and seed do not change its store."""
    values = experiment.train_settings(detector, training_set, "erm", 0)
    return build(TrainSettings, {**values, "strategy_settings": {}})
