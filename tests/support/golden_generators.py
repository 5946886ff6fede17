"""Golden vectors of the official generators, by the README beside them."""

import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_vectors import Vector, find
from places import SHARED
from torch import Tensor

from codecfake.generators.valle_decoding import use_precision
from codecfake.generators.valle_network import ValleNetwork

FOLDER = Path(os.environ.get("CODECFAKE_GOLDEN_GENERATORS") or SHARED / "golden_generators")
ABSENT = f"no golden vectors of generators in {FOLDER}; set CODECFAKE_GOLDEN_GENERATORS to their folder"


def vectors(prefix: str, but: str = "") -> list[object]:
    """The vectors whose names begin so, as parameters of a test; one that is skipped where there are none."""
    names = [vector.name for vector in find(FOLDER) if vector.path.is_file() and _is_meant(vector.name, prefix, but)]
    return [_case(name) for name in names] or [pytest.param("", marks=pytest.mark.skip(reason=ABSENT))]


def _is_meant(name: str, prefix: str, but: str) -> bool:
    return name.startswith(prefix) and name != but


def _case(name: str) -> object:
    is_deep = re.search(r"_\d+l$", name)  # the published depth
    return pytest.param(name, id=name, marks=[pytest.mark.long] if is_deep else [])


def vector(name: str) -> Vector:
    return Vector(FOLDER, name)


def weights(vector: Vector, part: str) -> dict[str, Tensor]:
    """The recipe's tensors, scaled and tied as the vector says. Raises AssertionError if their digest differs."""
    recipe = vector._recipe()
    arrays = recipe.fill(vector.about["state_dict"][part], vector.about["seed"])
    for pattern, factor, *row in vector.about.get("weight_scale", {}).get(part, []):
        for key in arrays:
            if re.search(pattern, key):
                rows = row[0] if row else ...
                arrays[key][rows] *= np.float32(factor)
    for key, source in vector.about.get("tied_weights", {}).get(part, {}).items():
        arrays[key] = arrays[source]
    assert recipe.digest(arrays) == vector.about["weights_sha256"][part], vector.name
    return {key: torch.from_numpy(array.copy()) for key, array in arrays.items()}


def codes(vector: Vector, key: str) -> Tensor:
    return torch.from_numpy(vector[key].astype(np.int64))


def valle(vector: Vector) -> ValleNetwork:
    """The network of a VALL-E vector with its weights."""
    return _valle(vector.name)


@cache  # the recipe takes longer than most comparisons
def _valle(name: str) -> ValleNetwork:
    vector = Vector(FOLDER, name)
    about = vector.about["configuration"]
    shapes = vector.shapes()
    network = ValleNetwork(
        dimension=about.get("d_model") or about["decoder_dim"],
        num_heads=about["nhead"],
        num_layers=about.get("num_layers") or about["num_decoder_layers"],
        text_vocabulary=shapes["ar_text_embedding.word_embeddings.weight"][0],
        begin_token=about["prepend_bos"],
        languages="ar_language_embedding.word_embeddings.weight" in shapes,
    )
    state = network.state_dict()
    assert {name: list(tensor.shape) for name, tensor in state.items()} == shapes
    network.load_state_dict(weights(vector, "model"))
    return use_precision(network).eval()
