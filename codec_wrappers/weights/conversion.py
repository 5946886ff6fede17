"""Converts an official checkpoint to our tensor names, without running its code; every tensor must match."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from codec_wrappers import build, module_of
from codec_wrappers.weights import loading
from codec_wrappers.weights.checkpoints import Checkpoint, OfficialFile
from codecfake.base import bounded_yaml, torch_files
from codecfake.base.pickle_limits import UnpicklingError
from codecfake.base.printing import excerpt
from codecfake.base.restricted_unpickling import in_words, text

GLOBAL = re.compile(r"GLOBAL (\S+)")
MOST_KEYS = 5
REMEDY = "it may be another file than the manifest's: fetch it again, or correct `holds` in checkpoints.yaml"

log = logging.getLogger("codecfake.weights")


class ConversionError(ValueError):
    """An official file does not contain what the manifest describes."""


def convert(checkpoint: Checkpoint, paths: Mapping[str, Path], output: Path) -> None:
    """Write the weights of the official files, given by their names in the manifest, as one safetensors file."""
    loading.save_tensors(state_dict(checkpoint, paths), output)


def state_dict(checkpoint: Checkpoint, paths: Mapping[str, Path]) -> dict[str, Tensor]:
    """The official weights as the complete state_dict of the wrapper's network.

    Raises ConversionError if a file cannot be read safely, and WeightsError if a tensor is missing or does not fit.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for file in checkpoint.files:
        for part, keys in file.holds.items():
            _add(parts.setdefault(part, {}), _select(read(paths[file.name], keys), file), paths[file.name])
    tensors, ours = _ours(checkpoint, parts), _architecture(checkpoint, paths)
    origin, official = paths[checkpoint.files[0].name], sum(len(part) for part in parts.values())
    loading.refuse_misfits(tensors, ours, origin)
    _refuse_not_finite(tensors, origin)
    log.info("%s: %d of %d tensors are the codec's; the rest are not used", origin, len(tensors), official)
    return {name: tensors[name].to(ours[name].dtype) for name in ours}


def read(path: Path, keys: str) -> dict[str, Tensor]:
    """The state_dict at the dotted `keys` of a safetensors or torch file; '' if the whole file is a state_dict."""
    values = _safetensors(path) if path.suffix == ".safetensors" else _unpickle(path)
    for key in keys.split(".") if keys else ():
        if not isinstance(values, Mapping) or key not in values:
            raise ConversionError(f"{path}: no key {key!r} of {keys!r}; found {_description(values)}; {REMEDY}")
        values = values[key]
    is_state_dict = isinstance(values, Mapping) and all(isinstance(value, Tensor) for value in values.values())
    if not is_state_dict or not values:
        raise ConversionError(f"{path}: expected tensors by name at {keys!r}, found {_description(values)}; {REMEDY}")
    try:
        return {text(name, "the name of a tensor"): tensor for name, tensor in values.items()}
    except UnpicklingError as error:
        raise ConversionError(f"{path}: {error}; {REMEDY}") from error


def _unpickle(path: Path) -> Any:
    try:
        torch_files.require_bounded(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ConversionError(str(error)) from error
    except Exception as error:  # damaged files can raise anything
        refusal = GLOBAL.search(str(error))
        if refusal:
            raise ConversionError(
                f"{path}: would execute {excerpt(refusal[1].rstrip('.'))} when loaded; weights never need that, and "
                f"the file was not executed. Do not load it with other tools either; fetch it from another address"
            ) from None
        raise ConversionError(f"{path}: is damaged, or not a torch checkpoint; remove it and fetch it again") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ConversionError(f"{path}: is damaged ({error}); remove it and fetch it again") from error


def _description(values: Any) -> str:
    if not isinstance(values, Mapping):
        return f"a {type(values).__name__}"
    names = [excerpt(key) if isinstance(key, str) else in_words(key) for key in list(values)[:MOST_KEYS]]
    return f"the keys {', '.join(names)}{', …' if len(values) > MOST_KEYS else ''}"


def _select(tensors: dict[str, Tensor], file: OfficialFile) -> dict[str, Tensor]:
    if not file.prefixes:
        return tensors
    return {name: tensor for name, tensor in tensors.items() if name.startswith(file.prefixes)}


def _add(part: dict[str, Tensor], tensors: dict[str, Tensor], path: Path) -> None:
    twice = sorted(set(part) & set(tensors))
    if twice:
        raise ConversionError(f"{path}: tensor {twice[0]!r} is also in another file; select one with `prefixes`")
    part |= tensors


def _ours(checkpoint: Checkpoint, parts: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors under our names, without those that the manifest lists as unused."""
    today = {
        part: {
            checkpoint.renames.get(name, name): tensor
            for name, tensor in tensors.items()
            if not name.startswith(checkpoint.unused)
        }
        for part, tensors in parts.items()
    }
    module = module_of(checkpoint.wrapper)
    return module.from_official(today) if hasattr(module, "from_official") else today["model"]


def _architecture(checkpoint: Checkpoint, paths: Mapping[str, Path]) -> dict[str, Tensor]:
    """The state_dict that the checkpoint must fit: names, shapes and types, on torch's meta device without values."""
    file = checkpoint.architecture_file
    config = {} if file is None else {"config": read_yaml(paths[file.name])}
    with torch.device("meta"):
        network = build(checkpoint.wrapper, {**checkpoint.model, **config}).network
    assert network is not None  # all codecs with state_dicts have one
    return dict(network.state_dict())


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConversionError if the file is something else."""
    try:
        values = bounded_yaml.load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConversionError(f"{path}: is not YAML ({error}); remove it and fetch it again") from error
    if not isinstance(values, dict):
        raise ConversionError(
            f"{path}: expected the settings of a network by name, found {_description(values)}; {REMEDY}"
        )
    return values


def _refuse_not_finite(tensors: dict[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ConversionError(f"{path}: tensor {name!r} has a value that is not finite; fetch the file again")
