"""Rules for `speakers_of`: whose speakers the ids of a corpus, or of a condition, name."""

from collections.abc import Iterator

from codecfake.base.settings import Fault
from codecfake.base.suggestions import unknown
from codecfake.experiment.schema import Experiment
from codecfake.protocols.people import OWN, is_circular


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every `speakers_of` that names no corpus, leads back to its own corpus, or has nothing to act on."""
    owners = experiment.speakers_of()
    for name, owner in owners.items():
        keys = ("corpora", name, "speakers_of")
        yield from _unknown(keys, owner, experiment)
        if is_circular(name, owners):
            yield Fault(keys, f"{owner!r} leads back to {name!r}; for speakers that no other corpus has, write `{OWN}`")
        if owner == OWN and OWN in experiment.corpora:
            yield Fault(keys, f"`{OWN}` stands for own speakers, but a corpus has this name too; rename the corpus")
    for name, condition in experiment.conditions.items():
        if condition.speakers_of is None:
            continue
        keys = ("conditions", name, "speakers_of")
        yield from _unknown(keys, condition.speakers_of, experiment)
        if not experiment.speakers_of_condition(name):
            yield Fault(keys, "the condition selects no `corpus`; set speakers_of in the domain's corpora")


def _unknown(keys: tuple[str, ...], owner: str, experiment: Experiment) -> Iterator[Fault]:
    if owner != OWN and owner not in experiment.corpora:
        yield Fault(keys, unknown("corpus", owner, [OWN, *experiment.corpora]))


def of_conditions(experiment: Experiment) -> dict[str, dict[str, dict[str, str]]]:
    """The setting `speakers_of` of tables, if the experiment says so of a corpus or of a condition."""
    common = experiment.speakers_of()
    changed = {name: {**common, **experiment.speakers_of_condition(name)} for name in experiment.conditions}
    return {"speakers_of": changed} if any(changed.values()) else {}
