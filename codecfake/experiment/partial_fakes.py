"""Partial fakes in an experiment: sources whose audio is made of the recordings and of another source."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from codecfake.audio.partial_settings import PartialSettings
from codecfake.base.settings import Fault
from codecfake.protocols.lists import RECORDINGS

if TYPE_CHECKING:
    from codecfake.experiment.schema import Experiment

Audio = Iterable[tuple[str, str]]  # corpora and sources


def sources(experiment: "Experiment") -> dict[str, PartialSettings]:
    """Source -> how its partial fakes are made."""
    every = (item for codec in experiment.codecs.values() for item in codec.sources.items())
    return {name: source.partial for name, source in every if source.partial is not None}


def parents(experiment: "Experiment", audio: Audio) -> Iterator[tuple[str, str]]:
    """(corpus, source) of what partial fakes among `audio` are made from."""
    partial = sources(experiment)
    for corpus, source in audio:
        if source in partial:
            yield from ((corpus, RECORDINGS), (corpus, partial[source].of))


def audio(experiment: "Experiment") -> list[tuple[str, str]]:
    """(corpus, source) of all partial fakes of a run."""
    partial = sources(experiment)
    return [pair for pair in experiment.all_audio() if pair[1] in partial]


def conditions(experiment: "Experiment") -> dict[str, str]:
    """Condition -> its source of partial fakes. Steps of ladders are not among them: some move the spans."""
    partial = sources(experiment)
    items = experiment.conditions.items()
    return {name: item.spoof.source for name, item in items if item.spoof.source in partial}


def faults(experiment: "Experiment") -> Iterator[Fault]:
    """Faults of conditions in which the recordings of partial fakes are not evaluated."""
    for name in conditions(experiment):
        condition = experiment.conditions[name]
        if condition.bonafide != replace(condition.spoof, source=RECORDINGS):
            text = (
                "differs from spoof, but segments of partial fakes are compared with the same ones of their recordings"
            )
            yield Fault(
                ("conditions", name, "bonafide"), f"{text}; select the same utterances, from source {RECORDINGS}"
            )
    if experiment.audio.sample_rate == "native" and sources(experiment):
        text = "native, but the recordings and the coded spans of partial fakes need one rate; give a number"
        yield Fault(("audio", "sample_rate"), text)
