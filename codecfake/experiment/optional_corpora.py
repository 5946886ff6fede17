"""Corpora without a root folder: an error, or generated, or, where they are optional, an experiment without them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from codecfake.base.settings import Fault
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Corpus

Roots = Mapping[str, str | None]
Generate = bool | Collection[str]  # `generate` of config.yaml


def missing_roots(corpora: Mapping[str, Corpus], roots: Roots, generate: Generate = True) -> Iterator[Fault]:
    """A fault of config.yaml for each corpus that needs a root and has none."""
    for name in _without_root(corpora, roots):
        if not corpora[name].optional and not _may_generate(name, corpora[name], generate):
            text = f"no root for {name}; add its folder, e.g. `{name}: /data/{name}` (layout: {corpora[name].layout})"
            yield Fault(("corpora",), text, name)


def with_roots(experiment: Experiment, roots: Roots, generate: Generate = True) -> Experiment:
    """The experiment on this machine: a folder replaces the generator of a corpus.

    Optional corpora that have no root and are not generated are left out, with the conditions that need them (listed
    in `not_run`), and corpora that would be generated for no condition.
    """
    why = _absent(experiment, roots, generate)
    not_run = {
        name: why[corpus]
        for name, condition in experiment.conditions.items()
        for side in (condition.bonafide, condition.spoof)
        for corpus in experiment.corpora_of(side)
        if corpus in why
    }
    conditions = {name: item for name, item in experiment.conditions.items() if name not in not_run}
    used = {side.corpus for item in conditions.values() for side in (item.bonafide, item.spoof)}
    corpora = {
        name: replace(corpus, generation=None) if roots.get(name) else corpus
        for name, corpus in experiment.corpora.items()
        if name not in why and (corpus.generation is None or roots.get(name) or name in used)
    }
    return replace(experiment, corpora=corpora, conditions=conditions, not_run=not_run)


def condition_faults(experiment: Experiment, roots: Roots, generate: Generate = True) -> Iterator[Fault]:
    """A fault if no condition is left on this machine."""
    if not with_roots(experiment, roots, generate).conditions:
        corpora = ", ".join(_absent(experiment, roots, generate))
        text = f"each condition needs a corpus that has no root; add the folder of one of {corpora} to config.yaml"
        yield Fault(("conditions",), text)


def _absent(experiment: Experiment, roots: Roots, generate: Generate) -> dict[str, str]:
    """Corpus -> why this machine has neither its folder nor what generates it."""
    corpora = experiment.corpora
    rootless = _without_root(corpora, roots)
    there = [name for name in corpora if name not in rootless]
    why = {}
    for name in rootless:
        reason = f"corpus {name} has no root in config.yaml"
        if _may_generate(name, corpora[name], generate):
            missing = [corpus for corpus in experiment.text_corpora(name) if corpus not in there]
            if missing:
                why[name] = f"{reason}, and {missing[0]}, which has its texts, has none either"
        elif corpora[name].generation is not None:
            why[name] = f"{reason}, and `generate` there does not make it"
        elif corpora[name].optional:
            why[name] = reason
    return why


def _may_generate(name: str, corpus: Corpus, generate: Generate) -> bool:
    return corpus.generation is not None and (generate if isinstance(generate, bool) else name in generate)


def _without_root(corpora: Mapping[str, Corpus], roots: Roots) -> list[str]:
    return [name for name, corpus in corpora.items() if not corpus.demo and not roots.get(name)]
