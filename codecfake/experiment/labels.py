"""Rules for label policies: every coded trial has one key, and its audio exists."""

from collections.abc import Iterator
from typing import Any

from codecfake.base.degraded_names import base_of
from codecfake.base.settings import Fault, Keys
from codecfake.base.utterances import BONAFIDE, KEYS
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Condition, Selection
from codecfake.protocols.labels import EXCLUDED, Labels
from codecfake.protocols.lists import RECORDINGS

FEWEST_POLICIES = 2


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every broken rule of label policies."""
    yield from _corpus_faults(experiment)
    unlabeled = [*_domain_faults(experiment), *_policy_faults(experiment)]
    yield from unlabeled
    for name in experiment.plain_conditions():
        condition = experiment.conditions[name]
        for key, side in _sides(condition):
            keys = ("conditions", name, key)
            if side.source == RECORDINGS:
                yield from _recording_faults(side, key, keys)
            elif _is_known(experiment, side) and not unlabeled:
                yield from _coded_faults(experiment, side, key, keys)
    yield from _contradictions(experiment)


def policies(experiment: Experiment) -> list[dict[str, Any]]:
    """Plain values of `LabelPolicy` in the order of the experiment, for the sources that a condition has."""
    names = experiment.plain_conditions()  # the table has no steps of ladders
    audio = {source for name in names for _, source in experiment.audio_of_condition(name)}
    sources = sorted(audio - {RECORDINGS})
    policies = experiment.label_policies.items()
    return [{"name": name, "keys": experiment.labels_of(labels, sources)} for name, labels in policies]


def _sides(condition: Condition) -> list[tuple[str, Selection]]:
    return list(zip(KEYS, (condition.bonafide, condition.spoof), strict=True))


def _is_known(experiment: Experiment, side: Selection) -> bool:
    """Whether the names of a selection refer to something; if not, the fault is reported elsewhere."""
    sources = [source for codec in experiment.codecs.values() for source in codec.sources]
    corpora = side.corpora or []
    if side.domain is not None and side.domain in experiment.domains:
        corpora = experiment.corpora_of(side)
    elif side.domain is not None:
        return False
    elif side.corpus is not None:
        corpora = [side.corpus]
    return side.source in sources and all(corpus in experiment.corpora for corpus in corpora)


def _corpus_faults(experiment: Experiment) -> Iterator[Fault]:
    for name, corpus in experiment.corpora.items():
        if corpus.generation is not None and corpus.resynthesize != BONAFIDE:
            text = "its fakes are made in the run, where codecs cannot read them; remove `resynthesize`"
            yield Fault(
                ("corpora", name, "resynthesize"), f"{text}, or list the fakes as a corpus without `generation`"
            )


def _domain_faults(experiment: Experiment) -> Iterator[Fault]:
    """Codecs of a domain, or of its conditions, that its labels do not mention."""
    for name, domain in experiment.domains.items():
        sides = [side for condition in experiment.conditions.values() for _, side in _sides(condition)]
        sources = [*domain.sources, *(base_of(side.source) for side in sides if side.domain == name)]
        yield from _unlabeled(experiment, domain.labels, sources, ("domains", name, "labels"))


def _policy_faults(experiment: Experiment) -> Iterator[Fault]:
    policies = experiment.label_policies
    if policies and len(policies) < FEWEST_POLICIES:
        yield Fault(("label_policies",), "one policy alone; a comparison needs two or more: add another")
    sources = [base_of(side.source) for condition in experiment.conditions.values() for _, side in _sides(condition)]
    if policies and all(source == RECORDINGS for source in sources):
        yield Fault(("label_policies",), "no condition has a codec's source, so policies change no key; add one")
    for name, labels in policies.items():
        yield from _unlabeled(experiment, labels, sources, ("label_policies", name))


def _unlabeled(experiment: Experiment, labels: Labels, sources: list[str], keys: Keys) -> Iterator[Fault]:
    codecs = {name: item for name, item in experiment.codecs.items() if set(item.sources) & set(sources)}
    for name in codecs:
        fault = labels.fault(name, experiment.purpose_of(name))
        if fault is not None:
            yield fault.below(*keys)


def _recording_faults(side: Selection, key: str, keys: Keys) -> Iterator[Fault]:
    if side.original not in (None, key):
        text = f"recordings keep their key, and these trials are {key}; remove `original`, or name a codec's source"
        yield Fault((*keys, "original"), text)


def _coded_faults(experiment: Experiment, side: Selection, key: str, keys: Keys) -> Iterator[Fault]:
    original = side.original or BONAFIDE
    corpora = experiment.corpora_of(side)
    if not any(original in experiment.resynthesized_keys(corpus) for corpus in corpora):
        text = f"no {original} speech of {', '.join(corpora)} is resynthesized; set `resynthesize: both` in one of them"
        yield Fault((*keys, "original"), text)
    label = experiment.coded_keys(side.domain, side.source)[original]
    if label == key:
        return
    policy = "by default" if side.domain is None else f"by the labels of domain {side.domain}"
    if label == EXCLUDED:
        yield Fault((*keys, "source"), f"coded {original} speech is excluded {policy}; remove the condition")
    else:
        usual = f"; bona fide speech is {RECORDINGS}" if key == BONAFIDE else ""
        text = f"coded {original} speech of {side.source} is {label} {policy}{usual}"
        yield Fault((*keys, "source"), f"{text}; select it as {label}, or change the domain's `labels`")


def _contradictions(experiment: Experiment) -> Iterator[Fault]:
    """Conditions that give one recording two keys, with which no EER over all conditions is possible."""
    owners: dict[tuple[str, str, str], tuple[str, str]] = {}
    for name in experiment.plain_conditions():
        condition = experiment.conditions[name]
        for key, side in _sides(condition):
            if side.source == RECORDINGS or not _is_known(experiment, side):
                continue
            source, original = experiment.original(side.source), side.original or BONAFIDE
            for corpus in experiment.corpora_of(side):
                other, label = owners.setdefault((corpus, source, original), (name, key))
                if label != key:
                    text = (
                        f"coded {original} speech of {corpus} is {key} here, but {label} in {other}; one recording has"
                    )
                    text = f"{text} one key: compare policies by `label_policies`"
                    yield Fault(("conditions", name, key), text)
