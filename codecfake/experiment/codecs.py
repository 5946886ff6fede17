"""Rules for the codecs of an experiment, their settings, weights and licenses; checked before any job."""

from collections.abc import Iterator

import codec_wrappers
from codec_wrappers import CodecError, Entry
from codec_wrappers.environment import environment_of
from codec_wrappers.training.settings import CodecTrainingSettings
from codec_wrappers.weights import checkpoints, shipped
from codec_wrappers.weights.checkpoints import Checkpoint, ManifestError
from codec_wrappers.weights.shipped import ShippedError
from codecfake.audio.settings import NATIVE
from codecfake.base import settings
from codecfake.base.hub_models import ID
from codecfake.base.partial import depth
from codecfake.base.plugins import PluginError, is_outside
from codecfake.base.settings import Fault, Keys, as_faults
from codecfake.base.suggestions import unknown
from codecfake.experiment.schema import Codec, Experiment
from codecfake.experiment.sections import START_FROM
from codecfake.experiment.weights import Hub, NoWeights, Official, Shipped, Trained, Weights
from codecfake.protocols.lists import RECORDINGS


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every fault of the codecs of an experiment, unused ones included."""
    yield from _source_faults(experiment)
    yield from own_faults(experiment)


def own_faults(experiment: Experiment) -> Iterator[Fault]:
    """The faults of each codec that can be checked where other parts of the experiment are faulty."""
    for name, codec in experiment.codecs.items():
        yield from (fault.below("codecs", name) for fault in _codec_faults(codec))
    common = list(_common_training_faults(experiment))
    yield from common
    if not common:
        for name in experiment.codecs:
            yield from _training_faults(name, experiment)


def _source_faults(experiment: Experiment) -> Iterator[Fault]:
    owners: dict[str, str] = {RECORDINGS: "the recordings themselves", NATIVE: "the recordings at their own rate"}
    names = {source for codec in experiment.codecs.values() for source in codec.sources}
    for name, codec in experiment.codecs.items():
        for source, what in codec.sources.items():
            keys: Keys = ("codecs", name, "sources")
            if source in owners:
                yield Fault(keys, f"{source!r} is already {owners[source]}; source names must be unique")
            owners[source] = f"a source of {name}"
            if what.alternative_to is not None and what.alternative_to not in names:
                yield Fault((*keys, source, "alternative_to"), unknown("source", what.alternative_to, sorted(names)))
            if what.same_as is not None and what.same_as not in codec.generated():
                text = f"{what.same_as!r} is not a source that {name} generates; choose from"
                yield Fault((*keys, source, "same_as"), f"{text} {', '.join(codec.generated()) or 'none'}")
            if what.partial is not None and what.partial.of not in codec.generated():
                text = f"{what.partial.of!r} is not a source that {name} generates; choose from"
                yield Fault((*keys, source, "partial", "of"), f"{text} {', '.join(codec.generated()) or 'none'}")


def _codec_faults(codec: Codec) -> Iterator[Fault]:
    try:
        entry = codec_wrappers.entry(codec.wrapper)
        environment_of(codec.wrapper)
    except (CodecError, PluginError) as error:
        yield Fault(("wrapper",), str(error))
        return
    yield from _model_faults(codec)
    yield from _weights_faults(codec, entry)
    yield from _start_faults(codec, entry)
    if codec.keep_gain and codec.gain in (None, "none"):
        yield Fault(("keep_gain",), "without `gain` there is no level to keep; set `gain`")


def _model_faults(codec: Codec) -> Iterator[Fault]:
    try:
        most = codec_wrappers.num_quantizers(codec.wrapper, codec.model)
    except ValueError as error:
        yield from (fault.below("model") for fault in as_faults(error))
        return
    for source, quantizers in codec.generated().items():
        if most is not None and quantizers > most:
            text = (
                f"{quantizers}, but {codec.wrapper} with these settings has {most}; "
                f"lower `quantizers`, or raise the model's"
            )
            yield Fault(("sources", source, "quantizers"), text)
    choices = codec_wrappers.quantizer_choices(codec.wrapper, codec.model)
    for source, quantizers in codec.generated().items():
        if choices is not None and quantizers not in choices:
            text = f"{quantizers}, but {codec.wrapper} decodes only {', '.join(map(str, choices))} quantizers"
            yield Fault(("sources", source, "quantizers"), f"{text}; choose one of these")
    if isinstance(codec.weights, NoWeights) and codec_wrappers.lacks_seed(codec.wrapper, codec.model):
        text = f"without weights, {codec.wrapper} is random, and each job would have another one; set `seed` for a test"
        yield Fault(("model",), f"{text}, or give published weights")


def _weights_faults(codec: Codec, entry: Entry) -> Iterator[Fault]:
    kind = codec.weights.kind
    if kind not in entry.weights:
        yield Fault(("weights",), _unsupported(codec, entry))
    elif not isinstance(codec.weights, NoWeights) and not codec_wrappers.can_load(codec.wrapper):
        text = f"{kind}, but the module of {codec.wrapper} has no load(settings, weights); add it"
        yield Fault(("weights",), f"{text}, or write `weights: none`")
    else:
        yield from _model_of_weights_faults(codec, codec.weights, ("weights",))


def _start_faults(codec: Codec, entry: Entry) -> Iterator[Fault]:
    start, keys = codec.start_from, ("training", START_FROM)
    if start is None:
        return
    if not isinstance(codec.weights, Trained):
        yield Fault(keys, f"only training starts from weights, and these are {codec.weights.kind}; remove it")
    elif isinstance(start, Trained | NoWeights) or start.kind not in entry.weights:
        choices = ", ".join(kind for kind in entry.weights if kind not in ("trained", "none"))
        yield Fault(keys, f"{start.kind}, but training of {entry.name} can only start from weights: {choices}")
    else:
        yield from _model_of_weights_faults(codec, start, keys)


def _model_of_weights_faults(codec: Codec, weights: Weights, keys: Keys) -> Iterator[Fault]:
    """Faults of the names of weights, and of a `model` that is not theirs."""
    if isinstance(weights, Hub) and not ID.fullmatch(weights.model):
        text = f"{weights.model!r} is no id of a model; give OWNER/NAME or OWNER/NAME@COMMIT, with all 40 digits"
        yield Fault((*keys, weights.kind), text)
    if not isinstance(weights, Official | Shipped):
        return
    name, find = (
        (weights.checkpoint, checkpoints.find) if isinstance(weights, Official) else (weights.name, shipped.find)
    )
    try:
        theirs = find(name)
    except (ManifestError, ShippedError) as error:
        yield Fault((*keys, weights.kind), str(error))
        return
    yield from _misfits(codec, theirs, (*keys, weights.kind))


def _misfits(codec: Codec, theirs: Checkpoint | shipped.Shipped, keys: Keys) -> Iterator[Fault]:
    if theirs.wrapper != codec.wrapper:
        every = [*checkpoints.load().values()] if isinstance(theirs, Checkpoint) else map(shipped.find, shipped.names())
        own = [each.name for each in every if each.wrapper == codec.wrapper]
        text = f"{theirs.name} has weights of {theirs.wrapper}, not of {codec.wrapper}"
        yield Fault(keys, f"{text}; choose from {', '.join(own) or 'none'}")
        return
    for key, value in theirs.model.items():
        # an omitted setting has the wrapper's default, which loading compares with the shapes of the weights
        if codec.model.get(key, value) != value:
            yield Fault(("model", key), f"{codec.model[key]!r}; {theirs.name} needs {value!r}")


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


def _common_training_faults(experiment: Experiment) -> Iterator[Fault]:
    if experiment.codec_training is not None:
        required = {"codec": "", "wrapper": "", "corpora": experiment.codec_training.corpora}
        for fault in settings.faults_of(CodecTrainingSettings, {**required, **experiment.codec_training.settings}):
            yield fault.below("codec_training", "settings")


def _training_faults(name: str, experiment: Experiment) -> Iterator[Fault]:
    codec = experiment.codecs[name]
    if not isinstance(codec.weights, Trained) or not _is_trainable(codec):
        return
    if experiment.codec_training is None:
        text = "trained, but the experiment has no codec_training section; add one, or give other weights"
        yield Fault(("codecs", name, "weights"), text)
        return
    if not codec.generated():
        return  # the fault of its sources is reported elsewhere
    try:
        settings.build(CodecTrainingSettings, experiment.codec_training_settings(name)).resolved()
    except ValueError as error:
        common = experiment.codec_training.settings
        for fault in as_faults(error):
            is_common = depth(common, fault.place) > depth(codec.training_settings, fault.place)
            yield fault.below(*(("codec_training", "settings") if is_common else ("codecs", name, "training")))


def _is_trainable(codec: Codec) -> bool:
    try:
        return codec_wrappers.entry(codec.wrapper).is_trainable
    except (CodecError, PluginError):
        return False  # its wrapper's fault is reported elsewhere
