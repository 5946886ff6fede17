"""Conversion of an official checkpoint to our names: read without running its code, matched exactly, written once."""

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

GLOBAL = re.compile(r"GLOBAL (\S+)")
KEYS_SHOWN = 5
REMEDY = "is it the file that the manifest means? Fetch it again, or correct `holds` in checkpoints.yaml"

log = logging.getLogger("codecfake.weights")


class ConversionError(ValueError):
    """An official file does not hold what the manifest says."""


def convert(checkpoint: Checkpoint, paths: Mapping[str, Path], output: Path) -> None:
    """Write the weights of the official files `paths`, by their names in the manifest, as one safetensors file."""
    loading.save_tensors(fitted(checkpoint, paths), output)


def fitted(checkpoint: Checkpoint, paths: Mapping[str, Path]) -> dict[str, Tensor]:
    """The official weights as the state_dict of the network that the wrapper builds: all of it and no more.

    Raises ConversionError if a file cannot be read safely, WeightsError unless every tensor has its place.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for file in checkpoint.files:
        for part, keys in file.holds.items():
            _add(parts.setdefault(part, {}), _taken(read(paths[file.name], keys), file), paths[file.name])
    tensors, expected = _ours(checkpoint, parts), _architecture(checkpoint, paths)
    origin, official = paths[checkpoint.files[0].name], sum(len(part) for part in parts.values())
    loading.refuse_misfits(tensors, expected, origin)
    _refuse_not_finite(tensors, origin)
    log.info("%s: %d of %d tensors are the codec's; the rest are not used", origin, len(tensors), official)
    return {name: tensors[name].to(expected[name].dtype) for name in expected}


def read(path: Path, keys: str) -> dict[str, Tensor]:
    """The state_dict that the dotted `keys` lead to inside a safetensors or torch file; '' if the file is one."""
    values = _safetensors(path) if path.suffix == ".safetensors" else _unpickled(path)
    for key in keys.split(".") if keys else ():
        if not isinstance(values, Mapping) or key not in values:
            raise ConversionError(f"{path}: found no key {key!r} of {keys!r}, but {_described(values)}; {REMEDY}")
        values = values[key]
    is_state_dict = isinstance(values, Mapping) and all(isinstance(value, Tensor) for value in values.values())
    if not is_state_dict or not values:
        raise ConversionError(f"{path}: expected tensors by name at {keys!r}, found {_described(values)}; {REMEDY}")
    return dict(values)


def _unpickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise about anything
        wanted = GLOBAL.search(str(error))
        if wanted:
            raise ConversionError(
                f"{path}: would execute {wanted[1].rstrip('.')} when loaded; weights never need that, and "
                f"the file was not executed. Do not load it with other tools either; fetch it from another address"
            ) from None
        raise ConversionError(f"{path}: is damaged, or no torch checkpoint; remove it and fetch it again") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ConversionError(f"{path}: is damaged ({error}); remove it and fetch it again") from error


def _described(values: Any) -> str:
    if not isinstance(values, Mapping):
        return f"a {type(values).__name__}"
    names = [str(key) for key in values]
    return f"the keys {', '.join(names[:KEYS_SHOWN])}{', …' if len(names) > KEYS_SHOWN else ''}"


def _taken(tensors: dict[str, Tensor], file: OfficialFile) -> dict[str, Tensor]:
    if not file.prefixes:
        return tensors
    return {name: tensor for name, tensor in tensors.items() if name.startswith(file.prefixes)}


def _add(part: dict[str, Tensor], tensors: dict[str, Tensor], path: Path) -> None:
    twice = sorted(set(part) & set(tensors))
    if twice:
        raise ConversionError(f"{path}: tensor {twice[0]!r} is also in another file; give `prefixes` to choose from")
    part |= tensors


def _ours(checkpoint: Checkpoint, parts: dict[str, dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors under our names, without those that the manifest names as unused."""
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
    """The state_dict that the checkpoint must fit; names, shapes and types without values where torch allows that."""
    published = checkpoint.architecture_file
    config = {} if published is None else {"config": read_yaml(paths[published.name])}
    with torch.device("meta"):
        network = build(checkpoint.wrapper, {**checkpoint.model, **config}).network
    assert network is not None  # all codecs with state_dicts have one
    return dict(network.state_dict())


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises ConversionError if the file is something else."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConversionError(f"{path}: is not YAML ({error}); remove it and fetch it again") from error
    if not isinstance(values, dict):
        raise ConversionError(
            f"{path}: expected the settings of a network by name, found {_described(values)}; {REMEDY}"
        )
    return values


def _refuse_not_finite(tensors: dict[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ConversionError(f"{path}: tensor {name!r} has a value that is not finite; fetch the file again")
