"""Rules between the parts of an experiment: names must refer to something, and combinations must work."""

from collections.abc import Iterable, Iterator
from itertools import product

from codecfake.base.settings import Fault
from codecfake.base.suggestions import unknown
from codecfake.experiment import (
    audited,
    codecs,
    generators,
    labels,
    ladder_folders,
    ladders,
    partial_fakes,
    released,
    second_codecs,
    speakers,
    tracing_tasks,
)
from codecfake.experiment.schema import Experiment
from codecfake.protocols import utterance_lists
from codecfake.protocols.lists import RECORDINGS, Split
from codecfake.tables.settings import CROSS_COLUMNS
from codecfake.training.strategies import STRATEGIES, strategy_of, unknown_strategy

PROTOCOL_FOLDERS = ("eval", "exports")  # of conditions, and of lists for other programs


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every broken rule, with the key that breaks it."""
    yield from _column_faults(experiment)
    yield from _codec_faults(experiment)
    yield from _domain_faults(experiment)
    yield from _condition_faults(experiment)
    yield from ladders.faults(experiment)
    yield from second_codecs.faults(experiment)
    yield from ladder_folders.name_faults(experiment)
    yield from partial_fakes.faults(experiment)
    yield from labels.faults(experiment)
    yield from speakers.faults(experiment)
    yield from generators.faults(experiment)
    yield from _training_set_faults(experiment)
    yield from _model_faults(experiment)
    yield from released.faults(experiment)
    yield from tracing_tasks.faults(experiment)
    yield from audited.faults(experiment)


def _unknown(keys: tuple[str, ...], names: Iterable[str], options: Iterable[str], kind: str) -> Iterator[Fault]:
    choices = list(options)
    for name in names:
        if name not in choices:
            yield Fault(keys, unknown(kind, name, choices) if choices else f"there is no {kind} {name!r}")


def _column_faults(experiment: Experiment) -> Iterator[Fault]:
    """Conditions and corpora are columns of tables, which would hide other columns of their names."""
    for section, names in (("conditions", experiment.conditions), ("corpora", experiment.corpora)):
        for name in CROSS_COLUMNS:
            if name in names:
                yield Fault((section, name), f"{name!r} is a column of tables across {section}; choose another name")


def _codec_faults(experiment: Experiment) -> Iterator[Fault]:
    yield from codecs.faults(experiment)
    if experiment.codec_training is not None:
        keys = ("codec_training", "corpora")
        yield from _unknown(keys, experiment.codec_training.corpora, experiment.corpora, "corpus")


def _domain_faults(experiment: Experiment) -> Iterator[Fault]:
    sources = [source for codec in experiment.codecs.values() for source in codec.sources]
    for name, domain in experiment.domains.items():
        keys, split = ("domains", name), domain.split
        if name in PROTOCOL_FOLDERS:
            yield Fault(keys, f"{name!r} is a folder of other protocols (results/protocols/{name}); rename the domain")
        yield from _unknown((*keys, "corpora"), domain.corpora, experiment.corpora, "corpus")
        yield from _unknown((*keys, "sources"), domain.sources, sources, "source")
        yield from _unknown((*keys, "keep"), domain.keep or [], domain.corpora, "corpus")
        if (split.by == "listed") != bool(split.dev_speakers and split.eval_speakers):
            yield Fault((*keys, "split"), "dev_speakers and eval_speakers need `by: listed`")
        yield from _list_faults((*keys, "split"), split)
        optional = [c for c in domain.corpora if c in experiment.corpora and experiment.corpora[c].optional]
        if optional:
            yield Fault((*keys, "corpora"), f"{optional[0]!r} is optional; a domain needs all of its corpora")
        if split.by in ("utterance", "speaker") and split.dev + split.eval >= 1:
            share = f"dev and eval take {split.dev + split.eval:g} of the data"
            yield Fault((*keys, "split"), f"{share}; nothing is left to train on")


def _list_faults(keys: tuple[str, ...], split: Split) -> Iterator[Fault]:
    """Lists of utterances that cannot be read; whether the corpora have these is known later."""
    if (split.by == "list") != bool(split.file):
        yield Fault(keys, "`by: list` needs `file`, and `file` needs `by: list`")
    elif split.file:
        try:
            utterance_lists.read(split.file)
        except ValueError as error:
            yield Fault((*keys, "file"), str(error))


def _condition_faults(experiment: Experiment) -> Iterator[Fault]:
    sources = [RECORDINGS, *(source for codec in experiment.codecs.values() for source in codec.sources)]
    for name in experiment.plain_conditions():
        condition = experiment.conditions[name]
        for key, side in (("bonafide", condition.bonafide), ("spoof", condition.spoof)):
            keys = ("conditions", name, key)
            yield from _unknown((*keys, "domain"), filter(None, [side.domain]), experiment.domains, "domain")
            yield from _unknown((*keys, "corpus"), filter(None, [side.corpus]), experiment.corpora, "corpus")
            yield from _unknown((*keys, "corpora"), side.corpora or [], experiment.corpora, "corpus")
            yield from _unknown((*keys, "source"), [side.source], sources, "source")
    for name, conditions in experiment.averages.items():
        yield from _unknown(("averages", name), conditions, experiment.plain_conditions(), "condition")


def _training_set_faults(experiment: Experiment) -> Iterator[Fault]:
    for name, training_set in experiment.training_sets.items():
        keys = ("training_sets", name, "domains")
        yield from _unknown(keys, training_set.domains, experiment.domains, "domain")
        owners: dict[str, str] = {}  # of recordings, which would be in training twice
        for other in training_set.domains:
            domain = experiment.domains.get(other)
            for corpus in (domain.keep or domain.corpora) if domain else []:
                if corpus in owners:
                    yield Fault(
                        keys,
                        f"{owners[corpus]} and {other} have the same recordings from {corpus}; "
                        f"make one domain with the sources of both",
                    )
                owners[corpus] = other


def _model_faults(experiment: Experiment) -> Iterator[Fault]:
    for number, grid in enumerate(experiment.models):
        keys = ("models", str(number))
        sets = experiment.training_sets
        yield from _unknown((*keys, "detectors"), grid.detectors, experiment.detectors, "detector")
        if grid.released is not None:
            continue
        yield from _unknown((*keys, "training_sets"), grid.training_sets, sets, "training set")
        for strategy in grid.strategies:
            if strategy not in STRATEGIES and strategy not in experiment.strategies:
                yield Fault((*keys, "strategies"), unknown_strategy(strategy, experiment.strategies))
        for strategy, name in product(grid.strategies, grid.training_sets):
            if _needs_domains(strategy, experiment) and name in sets and len(sets[name].domains) < 2:
                yield Fault(
                    (*keys, "strategies"),
                    f"{strategy} mixes domains, but training set {name!r} has one; give it another domain, or use sam",
                )
            if name in sets:
                yield from _weight_faults(strategy, experiment, name)


def _weight_faults(strategy: str, experiment: Experiment, training_set: str) -> Iterator[Fault]:
    """Weights of a strategy's sampler that are not those of the training set's domains."""
    try:
        resolved = strategy_of(strategy, experiment.strategies.get(strategy, {}))
    except ValueError:
        return  # its fault is reported elsewhere
    for fault in resolved.weight_faults(experiment.training_sets[training_set].domains):
        text = f"{fault.text} (training set {training_set!r})"
        yield Fault(("strategies", strategy, *fault.keys), text)


def _needs_domains(strategy: str, experiment: Experiment) -> bool:
    try:
        return strategy_of(strategy, experiment.strategies.get(strategy, {})).needs_domains
    except ValueError:
        return False  # its fault is reported elsewhere
