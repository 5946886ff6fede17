"""The conditions of laundering ladders: each step of `degrade` is a condition with the same trials, degraded."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from codecfake.base import degraded_names
from codecfake.base.degraded_names import base_of, degradation_of, with_degradation
from codecfake.base.settings import Fault, Keys
from codecfake.degradation.settings import Ladder
from codecfake.detectors import SAMPLE_RATE
from codecfake.experiment.sections import Condition, Selection

if TYPE_CHECKING:
    from codecfake.experiment.schema import Experiment


def with_steps(conditions: dict[str, Condition]) -> dict[str, Condition]:
    """The conditions, and after them those of the steps of their ladders: `C1+noise_20`."""
    steps = {
        with_degradation(name, degradation): _step(condition, degradation)
        for name, condition in conditions.items()
        if condition.degrade is not None
        for degradation in condition.degrade.labels
    }
    return {**conditions, **steps}


def steps_of(experiment: "Experiment") -> dict[str, list[str]]:
    """Plain condition -> the degradations of its ladders, in their order."""
    conditions = experiment.conditions.items()
    return {name: item.degrade.labels for name, item in conditions if item.degrade is not None}


def degraded_audio(experiment: "Experiment") -> list[tuple[str, str, str]]:
    """(corpus, plain source, degradation) of all audio that is degraded."""
    audio = experiment.all_audio()
    return [(corpus, base_of(name), degradation_of(name)) for corpus, name in audio if degradation_of(name)]


def second_codecs(experiment: "Experiment") -> dict[str, dict[str, int]]:
    """Codec -> its steps, each with its number of quantizers, of the codecs that audio goes through after its own."""
    codecs: dict[str, dict[str, int]] = {}
    for ladder in _ladders(experiment):
        if ladder.codec is not None:
            codecs.setdefault(ladder.codec, {}).update(zip(ladder.labels, map(int, ladder.steps), strict=True))
    return codecs


def of_second_codec(experiment: "Experiment", degradation: str) -> str | None:
    """The codec of a degradation; None if it is of another kind."""
    return next((codec for codec, steps in second_codecs(experiment).items() if degradation in steps), None)


def codecs_used(experiment: "Experiment") -> list[str]:
    """The codecs whose weights the run needs: those of sources, and second ones."""
    return list(dict.fromkeys([*experiment.codecs_run(), *second_codecs(experiment)]))


def conditions_with(experiment: "Experiment", corpus: str, degradation: str) -> list[str]:
    """The conditions with degraded audio of a corpus, whatever their sources, so that every fake has its recording."""
    names = [name for name in experiment.conditions if degradation_of(name) == degradation]
    return [name for name in names if corpus in {pair[0] for pair in experiment.audio_of_condition(name)}]


def step(experiment: "Experiment", degradation: str) -> dict[str, int | str]:
    """The kind and the value of a degradation."""
    values = {
        degraded_names.label(ladder.series, value): {"kind": ladder.kind, "value": value, **_folder(ladder)}
        for ladder in _ladders(experiment)
        for value in ladder.steps
    }
    return values[degradation]


def folders(experiment: "Experiment") -> dict[str, Ladder]:
    """Series -> one of the ladders whose noise or rooms are from its folder."""
    return {ladder.series: ladder for ladder in _ladders(experiment) if ladder.folder is not None}


def folder_of(experiment: "Experiment", degradation: str) -> dict[str, Ladder]:
    """The same for one degradation; empty for a kind without a folder."""
    series, _ = degraded_names.parts(degradation)
    return {name: ladder for name, ladder in folders(experiment).items() if name == series}


def placed(experiment: "Experiment") -> Iterator[tuple[Keys, Ladder]]:
    """The ladders of the experiment file, with their keys in it."""
    for name in steps_of(experiment):
        degrade = experiment.conditions[name].degrade
        assert degrade is not None
        for place, ladder in enumerate(degrade.ladders):
            yield ("conditions", name, "degrade", *([str(place)] if degrade.is_list else [])), ladder


def _folder(ladder: Ladder) -> dict[str, str]:
    return {} if ladder.folder is None else {"folder_name": ladder.folder_name}


def _ladders(experiment: "Experiment") -> Iterator[Ladder]:
    every = (item.degrade.ladders for item in experiment.conditions.values() if item.degrade is not None)
    return (ladder for ladders in every for ladder in ladders)


def faults(experiment: "Experiment") -> Iterator[Fault]:
    """Faults of experiments whose audio cannot be degraded."""
    if experiment.audio.sample_rate == SAMPLE_RATE:
        return
    for name in steps_of(experiment):
        text = f"degradations work at {SAMPLE_RATE} Hz, but the audio has {experiment.audio.sample_rate}"
        yield Fault(("conditions", name, "degrade"), f"{text}; set `audio: {{sample_rate: {SAMPLE_RATE}}}`")


def _step(condition: Condition, degradation: str) -> Condition:
    bonafide, spoof = (_degraded(side, degradation) for side in (condition.bonafide, condition.spoof))
    return Condition(bonafide, spoof, speakers_of=condition.speakers_of)


def _degraded(selection: Selection, degradation: str) -> Selection:
    return replace(selection, source=with_degradation(selection.source, degradation))
