"""Reading an experiment file, and the rules that its parts must keep with each other."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from codecfake import corpora
from codecfake.base import plugins, settings
from codecfake.base.validation import ConfigurationError, read_yaml, validate
from codecfake.experiment import codecs
from codecfake.experiment.schema import Experiment, laid_over
from codecfake.protocols.lists import RECORDINGS
from codecfake.training.strategies import STRATEGIES, update_settings


def load(path: Path) -> Experiment:
    """Read, validate and check an experiment. Raises ConfigurationError naming key, rule and remedy.

    Names of code outside the package are looked up beside this experiment from now on.
    """
    values = read(path)
    plugins.look_beside(path)
    validate(values, "experiment", str(path))
    experiment = settings.build(Experiment, values)
    faults = list(_faults(experiment))
    if faults:
        raise ConfigurationError("\n".join(f"{path}: {fault}" for fault in faults))
    return experiment


def read(path: Path) -> dict[str, Any]:
    """The values of an experiment file, laid over those of the one it is `based_on`, if any.

    Mappings are merged key by key; anything else (a list too) takes the place of what was there; null removes it.
    Raises ConfigurationError if files are based on each other in a circle.
    """
    values: dict[str, Any] = {}
    for layer in reversed(_layers(path)):
        values = _without_nulls(layer, laid_over(values, layer), values)
    return values


def _without_nulls(layer: Any, values: Any, base: Any) -> Any:
    """`values` less the keys that `layer` sets to null to remove them from `base`; a null of its own stays."""
    if not (isinstance(layer, dict) and isinstance(base, dict)):
        return values
    removed = {key for key, value in layer.items() if value is None and key in base}
    return {
        key: _without_nulls(layer.get(key), value, base.get(key)) for key, value in values.items() if key not in removed
    }


def _layers(path: Path) -> list[dict[str, Any]]:
    layers, seen = [], [path]
    while True:
        values = read_yaml(path)
        base = values.pop("based_on", None)
        layers.append(values)
        if base is None:
            return layers
        path = path.parent / f"{base}.yaml"
        if path in seen:
            raise ConfigurationError(f"{seen[0]}: based_on goes round in a circle: {path} comes back; end it somewhere")
        seen.append(path)


def _faults(experiment: Experiment) -> Iterator[str]:
    """What the schema cannot say: names that refer to nothing, and combinations that cannot work."""
    yield from _corpus_faults(experiment)
    yield from codecs.faults(experiment)
    if experiment.codec_training is not None:
        yield from _unknown("codec_training.corpora", experiment.codec_training.corpora, experiment.corpora, "corpus")
    yield from _domain_faults(experiment)
    yield from _condition_faults(experiment)
    yield from _model_faults(experiment)
    yield from _strategy_faults(experiment)


def _unknown(where: str, names: list[str], known: dict[str, Any], kind: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{where}: there is no {kind} {name!r}; this experiment has {', '.join(known) or 'none'}"


def _corpus_faults(experiment: Experiment) -> Iterator[str]:
    for name, corpus in experiment.corpora.items():
        try:
            settings.build(corpora.reader(corpus.layout).OPTIONS, corpus.options)
        except ValueError as error:
            yield f"corpora.{name}.options: {error}"


def _domain_faults(experiment: Experiment) -> Iterator[str]:
    sources = {source: name for name, codec in experiment.codecs.items() for source in codec.sources}
    for name, domain in experiment.domains.items():
        yield from _unknown(f"domains.{name}.corpora", domain.corpora, experiment.corpora, "corpus")
        yield from _unknown(f"domains.{name}.sources", domain.sources, sources, "source")
        yield from _unknown(f"domains.{name}.keep", domain.keep or [], dict.fromkeys(domain.corpora), "corpus")
        if (domain.split.by == "listed") != bool(domain.split.dev_speakers and domain.split.eval_speakers):
            yield f"domains.{name}.split: dev_speakers and eval_speakers go together with `by: listed` alone"
        optional = [c for c in domain.corpora if c in experiment.corpora and experiment.corpora[c].optional]
        if optional:
            yield f"domains.{name}.corpora: {optional[0]!r} is optional; a domain needs all of its corpora"
        if domain.split.by in ("utterance", "speaker") and domain.split.dev + domain.split.eval >= 1:
            share = domain.split.dev + domain.split.eval
            yield f"domains.{name}.split: dev and eval take {share:g} of the data; nothing is left to train on"


def _condition_faults(experiment: Experiment) -> Iterator[str]:
    sources = {RECORDINGS: ""} | {source: name for name, codec in experiment.codecs.items() for source in codec.sources}
    for name, condition in experiment.conditions.items():
        for key, side in (("bonafide", condition.bonafide), ("spoof", condition.spoof)):
            where = f"conditions.{name}.{key}"
            if side.domain is not None:
                yield from _unknown(where, [side.domain], experiment.domains, "domain")
            if side.corpus is not None:
                yield from _unknown(where, [side.corpus], experiment.corpora, "corpus")
            yield from _unknown(where, side.corpora or [], experiment.corpora, "corpus")
            yield from _unknown(where, [side.source], sources, "source")
        if condition.bonafide.source != RECORDINGS:
            source = condition.bonafide.source
            yield f"conditions.{name}.bonafide: source {source!r} is a codec's; bona fide speech is {RECORDINGS}"


def _strategy_faults(experiment: Experiment) -> Iterator[str]:
    for name, changes in experiment.strategies.items():
        try:
            update_settings(name, changes)
        except ValueError as error:
            yield f"strategies.{name}: {error}"
    for number, grid in enumerate(experiment.models):
        for strategy, training_set in product(grid.strategies, grid.training_sets):
            known = experiment.training_sets.get(training_set)
            if known is not None and STRATEGIES[strategy].needs_domains and len(known.domains) < 2:
                yield (
                    f"models.{number}: {strategy} mixes domains, but training set {training_set!r} has one; "
                    f"give it another domain, or take sam"
                )


def _model_faults(experiment: Experiment) -> Iterator[str]:
    for name, conditions in experiment.averages.items():
        yield from _unknown(f"averages.{name}", conditions, experiment.conditions, "condition")
    for name, training_set in experiment.training_sets.items():
        yield from _unknown(f"training_sets.{name}.domains", training_set.domains, experiment.domains, "domain")
        yield from _shared_recordings(name, experiment)
    for number, grid in enumerate(experiment.models):
        yield from _unknown(f"models.{number}.detectors", grid.detectors, experiment.detectors, "detector")
        yield from _unknown(
            f"models.{number}.training_sets", grid.training_sets, experiment.training_sets, "training set"
        )


def _shared_recordings(training_set: str, experiment: Experiment) -> Iterator[str]:
    """Domains of one training set with the same recordings, which would be trained on twice."""
    owners: dict[str, str] = {}
    for name in experiment.training_sets[training_set].domains:
        domain = experiment.domains.get(name)
        for corpus in (domain.keep or domain.corpora) if domain else []:
            if corpus in owners:
                yield (
                    f"training_sets.{training_set}.domains: {owners[corpus]} and {name} have the same recordings, of "
                    f"{corpus}; make one domain with the sources of both"
                )
            owners[corpus] = name
