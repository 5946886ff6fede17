"""Rules for the codecs of an experiment, their settings, weights and licenses; checked before any job."""

from collections.abc import Iterator

import codec_wrappers
from codec_wrappers import CodecError, Entry
from codec_wrappers.training.settings import CodecTrainingSettings
from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import PERMISSIVE, ManifestError
from codecfake.base import settings
from codecfake.base.plugins import PluginError, is_outside
from codecfake.experiment.schema import Codec, Experiment
from codecfake.experiment.weights import NoWeights, Official, Trained
from codecfake.protocols.lists import RECORDINGS


class CodecConfigurationError(ValueError):
    """A codec's code or weights are under a license that the experiment does not accept."""


def check_licenses(experiment: Experiment) -> None:
    """Raise CodecConfigurationError naming every codec in use whose licenses the experiment refuses."""
    if experiment.license != "permissive":
        return
    refused = [
        f"{name} ({kind}: {identifier})"
        for name in experiment.codecs_run()
        for kind, identifier in experiment.licenses_of(name).items()
        if identifier not in PERMISSIVE
    ]
    if refused:
        raise CodecConfigurationError(
            f"license: permissive refuses {', '.join(refused)}. Permissive are {', '.join(sorted(PERMISSIVE))}. "
            f"Train these codecs (`weights: trained`), leave them out, or write `license: any`"
        )


def faults(experiment: Experiment) -> Iterator[str]:
    """Every fault of the codecs of an experiment, unused ones included, with its key."""
    yield from _source_faults(experiment)
    yield from own_faults(experiment)


def own_faults(experiment: Experiment) -> Iterator[str]:
    """The faults of each codec that no other part of the experiment has a share in."""
    for name, codec in experiment.codecs.items():
        yield from (f"codecs.{name}.{fault}" for fault in _codec_faults(name, codec, experiment))


def _source_faults(experiment: Experiment) -> Iterator[str]:
    seen: dict[str, str] = {RECORDINGS: "the recordings themselves"}
    names = {source for codec in experiment.codecs.values() for source in codec.sources}
    for name, codec in experiment.codecs.items():
        for source, what in codec.sources.items():
            where = f"codecs.{name}.sources"
            if source in seen:
                yield f"{where}: {source!r} is already {seen[source]}; source names must be unique"
            seen[source] = f"a source of {name}"
            if what.alternative_to is not None and what.alternative_to not in names:
                yield f"{where}.{source}.alternative_to: unknown source {what.alternative_to!r}"
            if what.same_as is not None and what.same_as not in codec.generated():
                yield f"{where}.{source}.same_as: {what.same_as!r} is not a source that {name} generates"


def _codec_faults(name: str, codec: Codec, experiment: Experiment) -> Iterator[str]:
    try:
        entry = codec_wrappers.entry(codec.wrapper)
    except (CodecError, PluginError) as error:
        yield f"wrapper: {error}"
        return
    yield from _model_faults(codec)
    yield from _weights_faults(codec, entry)
    if isinstance(codec.weights, Trained) and entry.is_trainable:
        yield from _training_faults(name, experiment)
    if codec.keep_gain and codec.gain in (None, "none"):
        yield "keep_gain: without `gain` there is no level to keep; set `gain`"


def _model_faults(codec: Codec) -> Iterator[str]:
    try:
        most = codec_wrappers.num_quantizers(codec.wrapper, codec.model)
    except ValueError as error:
        yield from (f"model: {line}" for line in str(error).splitlines())
        return
    for source, quantizers in codec.generated().items():
        if most is not None and quantizers > most:
            yield (
                f"sources.{source}.quantizers: {quantizers}, but {codec.wrapper} with these settings has {most}; "
                f"lower `quantizers`, or raise the model's"
            )


def _weights_faults(codec: Codec, entry: Entry) -> Iterator[str]:
    kind = codec.weights.kind
    if kind not in entry.weights:
        yield f"weights: {_unsupported(codec, entry)}"
    elif not isinstance(codec.weights, NoWeights) and not codec_wrappers.can_load(codec.wrapper):
        yield (
            f"weights: {kind}, but the module of {codec.wrapper} has no load(settings, weights); add it, "
            f"or write `weights: none`"
        )
    elif isinstance(codec.weights, Official):
        yield from _checkpoint_faults(codec, codec.weights.checkpoint)


def _unsupported(codec: Codec, entry: Entry) -> str:
    kind, choices = codec.weights.kind, ", ".join(entry.weights)
    if entry.weights == ("none",):
        return f"{entry.name} has no weights; write `weights: none`"
    if isinstance(codec.weights, Trained):
        own = "; for a TrainableCodec, add 'trained' to its ENTRY['weights']" if is_outside(entry.name) else ""
        return f"trained, but {entry.name} cannot be trained here; its weights can be {choices}{own}"
    if isinstance(codec.weights, NoWeights):
        return f"none, but {entry.name} cannot work without weights; they can be {choices}"
    return f"{kind}, but the weights of {entry.name} can only be {choices}"


def _checkpoint_faults(codec: Codec, name: str) -> Iterator[str]:
    try:
        checkpoint = checkpoints.find(name)
    except ManifestError as error:
        yield f"weights.official: {error}"
        return
    if checkpoint.wrapper != codec.wrapper:
        yield f"weights.official: {checkpoint.name} has weights of {checkpoint.wrapper}, not of {codec.wrapper}"
        return
    for key, value in checkpoint.model.items():
        # an omitted setting has the wrapper's default, which loading compares with the shapes of the weights
        if codec.model.get(key, value) != value:
            yield f"model.{key}: {codec.model[key]!r}; {checkpoint.name} needs {value!r}"


def _training_faults(name: str, experiment: Experiment) -> Iterator[str]:
    if experiment.codec_training is None:
        yield "weights: trained, but the experiment has no codec_training section"
        return
    if not experiment.codecs[name].generated():
        return  # the fault of its sources is reported elsewhere
    try:
        settings.build(CodecTrainingSettings, experiment.codec_training_settings(name)).resolved()
    except ValueError as error:
        yield from (f"training (merged into codec_training.settings): {line}" for line in str(error).splitlines())
