"""What is speech and what is not: the content of corpora, training sets and conditions."""

from collections.abc import Iterable
from typing import Any

from codecfake.base.degraded_names import degradation_of
from codecfake.corpora import CONTENTS, SOUND, SPEECH, layout
from codecfake.experiment import audited, quality_choice, released
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS
from codecfake.tables.settings import CODED, CONTROL, KINDS_OF_SPOOFS, UNCODED


def of_corpus(experiment: Experiment, corpus: str) -> str:
    """One of `CONTENTS`: as the experiment says, or else the layout."""
    rule = experiment.corpora[corpus]
    return rule.content or layout(rule.layout).content


def settings(experiment: Experiment) -> dict[str, Any]:
    """Plain values of `tables.settings.Contents`: the contents of training sets, and conditions in groups.

    Empty unless training sets differ in their content and some condition has sounds.
    """
    sets = dict.fromkeys(name.split("/")[1] for name in released.trained_names(experiment))
    trained = {name: _of_domains(experiment, experiment.training_sets[name].domains) for name in sets}
    groups = _groups(experiment)
    if len({tuple(each) for each in trained.values()}) < 2 or not any(group["content"] == SOUND for group in groups):
        return {}
    return {"trained": trained, "groups": groups}


def sounds_measured(experiment: Experiment) -> list[str]:
    """Corpora of sounds that the quality of codecs is measured on."""
    sources = quality_choice.sources(experiment)
    corpora = dict.fromkeys(each for source in sources for each in quality_choice.corpora(experiment, source))
    return [corpus for corpus in corpora if of_corpus(experiment, corpus) == SOUND]


def sources_with_sounds(experiment: Experiment) -> list[str]:
    """Sources whose quality is measured on sounds."""
    sounds, sources = set(sounds_measured(experiment)), quality_choice.sources(experiment)
    return [source for source in sources if sounds.intersection(quality_choice.corpora(experiment, source))]


def quality_summary(experiment: Experiment) -> dict[str, Any]:
    """Plain values of the settings of the tables of quality."""
    sounds = sounds_measured(experiment)
    codecs = quality_choice.by_codec(experiment)
    values = {"sources": quality_choice.sources(experiment), "codecs": list(codecs)}
    return {**values, **({"sounds": sounds} if sounds else {})}


def quality_tables(experiment: Experiment) -> list[str]:
    """The names of the tables of quality."""
    return ["quality", "quality_order", *(["quality_sounds"] if sounds_measured(experiment) else [])]


def _of_domains(experiment: Experiment, domains: Iterable[str]) -> list[str]:
    rules = [experiment.domains[name] for name in domains]
    return _of_corpora(experiment, [corpus for rule in rules for corpus in rule.keep or rule.corpora])


def _of_corpora(experiment: Experiment, corpora: Iterable[str]) -> list[str]:
    contents = {of_corpus(experiment, corpus) for corpus in corpora}
    return [content for content in CONTENTS if content in contents]


def _groups(experiment: Experiment) -> list[dict[str, Any]]:
    """Conditions by the content of their bona fide trials and the kind of their spoofs; none with both contents."""
    members: dict[tuple[str, str], list[str]] = {}
    for name, condition in experiment.conditions.items():
        contents = _of_corpora(experiment, experiment.corpora_of(condition.bonafide))
        if len(contents) == 1 and not degradation_of(name):
            members.setdefault((contents[0], _kind(experiment, condition.spoof.source)), []).append(name)
    order = [(content, kind) for kind in KINDS_OF_SPOOFS for content in (SPEECH, SOUND)]
    return [
        {"content": content, "spoofs": kind, "conditions": members[content, kind]}
        for content, kind in order
        if (content, kind) in members
    ]


def _kind(experiment: Experiment, source: str) -> str:
    if source == RECORDINGS:
        return UNCODED
    return CONTROL if source in audited.controls(experiment) else CODED
