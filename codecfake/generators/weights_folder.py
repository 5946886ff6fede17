"""The folder of a generator's weights: tensors, the sizes of the network that fits them, and the files of its text."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

import codec_wrappers
from codec_wrappers.codec import Codec
from codec_wrappers.weights import loading
from codecfake.base import files, json_texts
from codecfake.generators import registry
from codecfake.generators.generator import GeneratorError
from codecfake.generators.settings import GeneratorSettings

WEIGHTS, MODEL, SYMBOLS = "weights.safetensors", "model.json", "symbols.dict"
REMEDY = "delete the folder; the same command then fetches it again"
RANDOM_SEED = 0  # of weights for tests
CODEBOOK = "codebook.embed"  # end of a codebook's name in EnCodec

N = TypeVar("N", bound=nn.Module)
T = TypeVar("T")


def model_of(settings: GeneratorSettings) -> Any:
    """The settings of the network; sizes that stand beside the weights replace those of the experiment.

    Raises GeneratorError if the weights are not a folder of this form.
    """
    model = registry.model_of(settings.generator, settings.model)
    if settings.weights is None:
        return model
    path = settings.weights / MODEL
    if not path.is_file():
        raise GeneratorError(f"{path}: it does not exist; give the folder that fetching wrote, or {REMEDY}")
    sizes = json_texts.read_object(path, REMEDY)
    try:
        return replace(model, **sizes)
    except TypeError as error:
        raise GeneratorError(f"{path}: {error}; {REMEDY}") from error


def load_or_random(build: Callable[[], N], weights: Path | None) -> N:
    """The network with the weights of a folder, or with random ones. Raises WeightsError if they do not fit."""
    network = with_fixed_seed(build)
    if weights is None:
        _draw_codebooks(network)
    else:
        loading.load_strict(network, weights / WEIGHTS)
    return network.eval().requires_grad_(False)


def codec_of(settings: GeneratorSettings, model: Mapping[str, Any], device: torch.device) -> Codec:
    """The codec of the generator's tokens, with its weights or random ones, on a device."""
    name = registry.entry(settings.generator).codec
    assert name is not None  # an entry of the package
    if settings.codec_weights is None:
        codec = with_fixed_seed(lambda: codec_wrappers.build(name, model))
        _draw_codebooks(codec.network)
    else:
        codec = codec_wrappers.load(name, model, settings.codec_weights)
    if codec.network is not None:
        codec.network.eval().requires_grad_(False).to(device)
    return codec


def with_fixed_seed(build: Callable[[], T]) -> T:
    """What `build` returns, where it draws random weights from one seed, and leaves torch's generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        return build()


def _draw_codebooks(network: nn.Module | None) -> None:
    """Fresh codebooks are zero, and would give every code the same sound."""
    numbers = torch.Generator().manual_seed(RANDOM_SEED)
    for name, values in network.named_buffers() if network is not None else ():
        if name.endswith(CODEBOOK):
            values.normal_(generator=numbers)


def write(network: Mapping[str, torch.Tensor], model: Mapping[str, Any], folder: Path) -> None:
    """Write tensors and sizes as `model_of` and `load_or_random` read them."""
    loading.save_tensors(network, folder / WEIGHTS)
    files.write_note(folder / MODEL, json.dumps(dict(model), indent=1, sort_keys=True) + "\n")
