"""Rules and settings for codecs as degradations: a declared codec with weights, and its numbers of quantizers."""

from collections.abc import Iterator
from typing import Any

import codec_wrappers
from codec_wrappers import CodecError
from codecfake.base.plugins import PluginError
from codecfake.base.settings import Fault
from codecfake.base.suggestions import unknown
from codecfake.degradation.settings import Ladder
from codecfake.detectors import SAMPLE_RATE
from codecfake.experiment import ladders
from codecfake.experiment.schema import Codec, Experiment
from codecfake.experiment.weights import NoWeights

RULE = "degrade_through"  # of the jobs; each codec has one, and all steps of a shard are one job


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every broken rule of second codecs, of the conditions as they are in the file."""
    for keys, ladder in ladders.placed(experiment):
        if ladder.codec is not None:
            yield from (fault.below(*keys) for fault in _ladder_faults(experiment, ladder, ladder.codec))


def settings(experiment: Experiment, codec: str, corpus: str) -> dict[str, Any]:
    """Plain values of `SecondCodecSettings`."""
    rule = experiment.codecs[codec]
    values = {
        "corpus": corpus,
        "codec": codec,
        "wrapper": rule.wrapper,
        "steps": ladders.second_codecs(experiment)[codec],
        "sample_rate": SAMPLE_RATE,
        "model": rule.model,
        "gain": rule.gain,
        "keep_gain": rule.keep_gain,
        "license": experiment.license_of(codec),
    }
    return values if rule.decoder_precision == "float32" else {**values, "decoder_precision": rule.decoder_precision}


def _ladder_faults(experiment: Experiment, ladder: Ladder, codec: str) -> Iterator[Fault]:
    if codec not in experiment.codecs:
        yield Fault(("codec",), unknown("codec", codec, experiment.codecs))
        return
    section = experiment.codecs[codec]
    try:
        has_random_weights = isinstance(section.weights, NoWeights) and _has_seed(section)
        most = codec_wrappers.num_quantizers(section.wrapper, section.model)
        choices = codec_wrappers.quantizer_choices(section.wrapper, section.model)
    except (CodecError, PluginError, ValueError):
        return  # the fault of the codec is reported elsewhere
    if has_random_weights:
        yield Fault(("codec",), f"{codec} has random weights, which no channel has; give it weights, or choose another")
    if experiment.is_trained(codec) and section.generated():
        most = experiment.most_quantizers(codec)
    for place, value in enumerate(ladder.steps):
        if choices is not None and value not in choices:
            text = f"{codec} decodes only {', '.join(map(str, choices))} quantizers; choose from these"
            yield Fault(("steps", str(place)), f"{value}, but {text}")
        elif most is not None and int(value) > most:
            trained = ", with which its sources are trained" if experiment.is_trained(codec) else ""
            yield Fault(("steps", str(place)), f"{value} quantizers, but {codec} has {most}{trained}; lower the step")


def _has_seed(codec: Codec) -> bool:
    return getattr(codec_wrappers.settings_of(codec.wrapper, codec.model), "seed", None) is not None
