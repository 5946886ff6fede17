"""What the codecs of an experiment must keep with the manifest of checkpoints, checked before any job."""

from collections.abc import Iterator

from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import PERMISSIVE, ManifestError
from codec_wrappers.weights.licenses import licenses
from codecfake.experiment.schema import Codec, Experiment


class CodecConfigurationError(ValueError):
    """A codec asks for weights that do not exist, are another codec's, or are under a license that is not wanted."""


def check(experiment: Experiment) -> None:
    """Raise CodecConfigurationError naming every codec in use that breaks a rule, and what to write instead."""
    used = {name: experiment.codecs[name] for name in experiment.codecs_run()}
    faults = [fault for name, codec in used.items() for fault in _misfits(name, codec)]
    if not faults and experiment.license == "permissive":
        faults = list(_restricted(used))
    if faults:
        raise CodecConfigurationError("; ".join(faults))


def _misfits(name: str, codec: Codec) -> Iterator[str]:
    if not (isinstance(codec.weights, dict) and "official" in codec.weights):
        return
    try:
        checkpoint = checkpoints.find(codec.weights["official"])
    except ManifestError as error:
        yield f"codecs.{name}.weights.official: {error}"
        return
    if checkpoint.wrapper != codec.wrapper:
        yield (
            f"codecs.{name}.weights.official: {checkpoint.name} holds weights of {checkpoint.wrapper}, "
            f"not of {codec.wrapper}"
        )
    for key, value in checkpoint.model.items():
        # a setting that is left out has the wrapper's default, which loading compares with the weights' shapes
        if codec.model.get(key, value) != value:
            yield f"codecs.{name}.model.{key}: {codec.model[key]!r}; {checkpoint.name} was made with {value!r}"


def _restricted(used: dict[str, Codec]) -> Iterator[str]:
    found = {name: licenses(codec.wrapper, codec.weights) for name, codec in used.items()}
    refused = [
        f"{name} ({kind}: {identifier})"
        for name, kinds in found.items()
        for kind, identifier in kinds.items()
        if identifier not in PERMISSIVE
    ]
    if refused:
        yield (
            f"license: permissive refuses {', '.join(refused)}. Permissive are {', '.join(sorted(PERMISSIVE))}. "
            f"Train these codecs (`weights: trained`), leave them out, or write `license: any`"
        )
