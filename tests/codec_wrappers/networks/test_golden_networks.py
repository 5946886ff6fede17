"""Golden vectors: official checkpoints of the networks that are written here load under their own key names."""

from typing import Any

import pytest
import torch
from golden_codecs import shapes_of, wrapper_of
from golden_vectors import FOLDER, Vector, find, kind_or_none
from torch import Tensor

import codec_wrappers

OURS = ("audiodec", "academicodec", "soundstream")
REPLACED = "autoencoder.decoder."  # of AudioDec, where the vocoder takes its place


def cases(*wrappers: str) -> list[Any]:
    vectors = [
        pytest.param(vector, id=vector.name) for vector in find(FOLDER) if kind_or_none(wrapper_of, vector) in wrappers
    ]
    return vectors or [pytest.param(None, marks=pytest.mark.skip(f"no golden vectors of {wrappers} in {FOLDER}"))]


@pytest.mark.parametrize("vector", cases(*OURS))
def test_golden_names_and_shapes_of_our_tensors_are_the_official_ones(vector: Vector) -> None:
    if wrapper_of(vector) == "audiodec":
        assert shapes_of(vector, "symmetric") == theirs(vector, "autoencoder")
    replaced = REPLACED if "vocoder" in vector.parts else "no such tensor"
    expected = {name: shape for name, shape in theirs(vector, *vector.parts).items() if not name.startswith(replaced)}
    assert shapes_of(vector) == expected


@pytest.mark.parametrize("vector", cases("audiodec"))
def test_golden_audiodec_of_a_streaming_checkpoint_loses_its_pad_buffers_and_nothing_else(vector: Vector) -> None:
    streamed = {**without_values(vector, "autoencoder"), "encoder.conv.pad_buffer": torch.zeros(1, 1, 6)}
    assert set(codec_wrappers.module_of("audiodec").from_official({"autoencoder": streamed})) == set(
        shapes_of(vector, "symmetric")
    )


@pytest.mark.parametrize("vector", cases("soundstream"))
def test_golden_soundstream_of_a_distributed_checkpoint_loses_the_prefix_of_its_names(vector: Vector) -> None:
    tensors = without_values(vector, "model")
    prefixed = {f"module.{name}": tensor for name, tensor in tensors.items()}
    convert = codec_wrappers.module_of("soundstream").from_official
    assert set(convert({"model": prefixed})) == set(convert({"model": tensors})) == set(shapes_of(vector))


def without_values(vector: Vector, part: str) -> dict[str, Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in vector.shapes(part).items()}


def theirs(vector: Vector, *parts: str) -> dict[str, list[int]]:
    prefixes = {part: "" if part == "model" else f"{part}." for part in parts}
    return {prefixes[part] + name: shape for part in parts for name, shape in vector.shapes(part).items()}
