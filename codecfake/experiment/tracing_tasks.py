"""The tasks of source tracing of an experiment: their rules, their settings and their inputs."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

from codecfake.base.settings import Fault, as_faults, build
from codecfake.base.suggestions import unknown
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.experiment import traced_values
from codecfake.experiment.schema import Experiment
from codecfake.experiment.tracing import Tracing
from codecfake.protocols import tracing
from codecfake.protocols.lists import RECORDINGS
from codecfake.training.strategies import STRATEGIES, unknown_strategy
from codecfake.training.tracing_settings import OF_CLASSES, OF_DETECTION, TracingSettings

OF_CLASS_TASKS = ("tracing", "tracing_confusion", "tracing_intervals")  # tables
OF_REGRESSIONS = ("tracing_regression", "tracing_predictions")
Place = tuple[str, str, str]  # task, detector, seed: the wildcards of its jobs


def places(experiment: Experiment) -> list[Place]:
    """The models of all tasks."""
    tasks = experiment.tracing.items()
    return [(name, *pair) for name, task in tasks for pair in product(task.detectors, map(str, task.seeds))]


def settings(experiment: Experiment, task: str, detector: str, seed: int) -> dict[str, Any]:
    """Values of `TracingSettings`: everything that determines the training of a model."""
    rule = experiment.tracing[task]
    common = {**experiment.training, **experiment.detector_training.get(detector, {})}
    training = {
        **{key: value for key, value in common.items() if key not in _foreign(rule)},
        **rule.training,
        "detector": experiment.detectors[detector],
        "epochs": rule.epochs,
        "halve_every": rule.halve_every,
        "strategy": rule.strategy,
        "strategy_settings": experiment.strategies.get(rule.strategy, {}),
        "seed": seed,
    }
    if not rule.is_regression:
        return {"training": training, "classes": classes(experiment, task)}
    return {"training": training, "regression": regression(experiment, task)}


def regression(experiment: Experiment, task: str) -> dict[str, Any]:
    """Values of `TracedQuantity`: what a regression predicts of the sources in training."""
    quantity = experiment.tracing[task].predict
    return {"quantity": quantity, "values": values(experiment, task, trained(experiment, task))}


def left_out(experiment: Experiment) -> dict[str, list[str]]:
    """Task -> the tasks that leave out a part of it, of those that have some."""
    parts = {
        name: [other for other, item in experiment.tracing.items() if item.part_of == name]
        for name in experiment.tracing
    }
    return {name: others for name, others in parts.items() if others}


def trained(experiment: Experiment, task: str) -> list[str]:
    """The sources in training."""
    rule = experiment.tracing[task]
    return _originals(experiment, rule.sources if rule.is_regression else tracing.sources_of(rule.classes))


def values(experiment: Experiment, task: str, sources: list[str]) -> dict[str, float]:
    """What a regression predicts of sources, of those that have a value."""
    quantity = experiment.tracing[task].quantity
    return {} if quantity is None else traced_values.values(experiment, sources, quantity)


def tables(experiment: Experiment) -> list[str]:
    """The tables of source tracing that an experiment has."""
    kinds = {task.is_regression for task in experiment.tracing.values()}
    return [*(OF_CLASS_TASKS if False in kinds else ()), *(OF_REGRESSIONS if True in kinds else ())]


def report_settings(experiment: Experiment) -> dict[str, Any]:
    """What the report shows: tasks with classes, regressions, and the tasks that leave out a part of one of them."""
    whole = {name: task for name, task in experiment.tracing.items() if not task.part_of}
    return {
        "tracing": [name for name, task in whole.items() if not task.is_regression],
        "traced_numbers": [name for name, task in whole.items() if task.is_regression],
        "traced_parts": left_out(experiment),
    }


def classes(experiment: Experiment, task: str) -> dict[str, list[str]]:
    """Class -> its sources, by the names under which protocols have them."""
    return {name: _originals(experiment, sources) for name, sources in experiment.tracing[task].classes.items()}


def unseen(experiment: Experiment, task: str) -> list[str]:
    """The sources of no class that a task evaluates, without those whose conditions this machine does not run."""
    sources = _originals(experiment, experiment.tracing[task].unseen)
    return [source for source in sources if source in _all_evaluated(experiment)] if experiment.not_run else sources


def conditions(experiment: Experiment, task: str) -> list[str]:
    """The conditions whose trials a task evaluates: those with trials of its sources.

    Recordings alone, as `F00`, select no condition: all have some.
    """
    sources = {*trained(experiment, task), *unseen(experiment, task)}
    return [name for name in experiment.conditions if sources & _evaluated(experiment, name)]


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every broken rule of the section `tracing`."""
    for name, task in experiment.tracing.items():
        if task.part_of:
            continue  # its faults are those of the task that it is part of
        broken = list(_name_faults(experiment, task)) or list(_source_faults(experiment, name, task))
        yield from (fault.below("tracing", name) for fault in broken or _training_faults(experiment, name, task))


def _evaluated(experiment: Experiment, condition: str) -> set[str]:
    """The sources of a condition's trials, whichever their key, without `F00`."""
    rule = experiment.conditions[condition]
    sources: set[str] = set()
    for key, side in ((BONAFIDE, rule.bonafide), (SPOOF, rule.spoof)):
        if side.source == RECORDINGS:
            sources |= {tracing.recorded(corpus, key) for corpus in experiment.corpora_of(side)}
        else:
            sources.add(experiment.original(side.source))
    return sources


def _all_evaluated(experiment: Experiment) -> set[str]:
    return {RECORDINGS}.union(*(_evaluated(experiment, name) for name in experiment.conditions))


def _originals(experiment: Experiment, sources: list[str]) -> list[str]:
    return [source if tracing.OF in source else experiment.original(source) for source in sources]


def _name_faults(experiment: Experiment, task: Tracing) -> Iterator[Fault]:
    of_codecs = [RECORDINGS, *(source for codec in experiment.codecs.values() for source in codec.sources)]
    options = [*of_codecs, *tracing.recorded_sources(experiment.corpora)]
    if task.domain not in experiment.domains:
        yield Fault(("domain",), unknown("domain", task.domain, experiment.domains))
    for detector in task.detectors:
        if detector not in experiment.detectors:
            yield Fault(("detectors",), unknown("detector", detector, experiment.detectors))
    if task.strategy not in STRATEGIES and task.strategy not in experiment.strategies:
        yield Fault(("strategy",), unknown_strategy(task.strategy, experiment.strategies))
    for key in _foreign(task):
        if key in task.training:
            yield Fault(("training", key), f"it is {_why_foreign(key)}; remove it")
    places = {("unseen",): task.unseen, ("sources",): task.sources} | {
        ("classes", name): sources for name, sources in task.classes.items()
    }
    for keys, sources in places.items():
        for source in sources:
            if source not in options:
                yield Fault(keys, unknown("source", source, options))


def _foreign(task: Tracing) -> tuple[str, ...]:
    """The settings of training that a task does not have."""
    return OF_CLASSES if task.is_regression else OF_DETECTION


def _why_foreign(key: str) -> str:
    if key in OF_DETECTION:
        return "of detection, and all classes of sources weigh the same"
    return "of classes, and a regression has the mean squared error"


def _source_faults(experiment: Experiment, name: str, task: Tracing) -> Iterator[Fault]:
    own: dict[tuple[str, ...], list[str]]
    own = {("classes", label): sources for label, sources in classes(experiment, name).items()}
    if task.quantity is not None:
        own = {("sources",): trained(experiment, name)}
        yield from traced_values.faults(experiment, own[("sources",)], task.quantity)
    counts = Counter([*trained(experiment, name), *unseen(experiment, name)])
    for source in [source for source, count in counts.items() if count > 1]:
        text = f"source {source} is there more than once; give it one class, or leave it unseen"
        yield Fault(next(iter(own))[:1], text)
    domain = experiment.domains[task.domain]
    recorded = tracing.recorded_sources(domain.keep or domain.corpora)
    of_domain = {RECORDINGS, *recorded, *_originals(experiment, domain.sources)}
    for keys, sources in own.items():
        for source in sources:
            if source not in of_domain:
                part = "corpora" if tracing.OF in source else "sources"
                text = f"source {source} is not in the lists of domain {task.domain}; add it to the domain's {part}"
                yield Fault(keys, text)
    evaluated = _all_evaluated(experiment)
    for source in [source for source in counts if source not in evaluated]:
        yield Fault(next(iter(own))[:1], f"no condition evaluates source {source}; add one whose trials come from it")


def _training_faults(experiment: Experiment, name: str, task: Tracing) -> Iterator[Fault]:
    for detector in task.detectors:
        try:
            build(TracingSettings, settings(experiment, name, detector, task.seeds[0]))
        except ValueError as error:
            yield from as_faults(error)
            return
