"""Experiments without the optional corpora that are missing."""

from dataclasses import replace

from codecfake.base.validation import ConfigurationError
from codecfake.experiment.schema import Experiment


def with_roots(experiment: Experiment, roots: dict[str, str | None]) -> Experiment:
    """Leave out optional corpora that have no root, and the conditions that need them (listed in `not_run`).

    Raises ConfigurationError if a required corpus has no root.
    """
    names = {name for name, root in roots.items() if root}
    missing = [name for name, corpus in experiment.corpora.items() if not corpus.demo and name not in names]
    required = [name for name in missing if not experiment.corpora[name].optional]
    if required:
        first = required[0]
        raise ConfigurationError(
            f"config.yaml: corpora: no root for {', '.join(required)}; add the folder, "
            f"e.g. `corpora: {{{first}: /data/{first}}}` (layout: {experiment.corpora[first].layout})"
        )
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
