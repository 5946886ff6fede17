"""Corpora without a root folder: an error, or, where they are optional, an experiment without them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from codecfake.base.settings import Fault
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Corpus

Roots = Mapping[str, str | None]


def missing_roots(corpora: Mapping[str, Corpus], roots: Roots) -> Iterator[Fault]:
    """A fault of config.yaml for each corpus that needs a root and has none."""
    for name in _without_root(corpora, roots):
        if not corpora[name].optional:
            text = f"no root for {name}; add its folder, e.g. `{name}: /data/{name}` (layout: {corpora[name].layout})"
            yield Fault(("corpora",), text, name)


def with_roots(experiment: Experiment, roots: Roots) -> Experiment:
    """Leave out optional corpora that have no root, and the conditions that need them (listed in `not_run`)."""
    missing = [name for name in _without_root(experiment.corpora, roots) if experiment.corpora[name].optional]
    not_run = {
        name: f"corpus {corpus} has no root in config.yaml"
        for name, condition in experiment.conditions.items()
        for side in (condition.bonafide, condition.spoof)
        for corpus in experiment.corpora_of(side)
        if corpus in missing
    }
    return replace(
        experiment,
        corpora={name: corpus for name, corpus in experiment.corpora.items() if name not in missing},
        conditions={name: item for name, item in experiment.conditions.items() if name not in not_run},
        not_run=not_run,
    )


def _without_root(corpora: Mapping[str, Corpus], roots: Roots) -> list[str]:
    return [name for name, corpus in corpora.items() if not corpus.demo and not roots.get(name)]
