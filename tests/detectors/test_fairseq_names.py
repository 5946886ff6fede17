"""Names of fairseq: a state under its names gives the same features in transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from golden_vectors import Vector, assert_close
from torch import Tensor

from codecfake.detectors import fairseq_names
from codecfake.detectors.ssl import Hubert, Ssl, SslSettings, Wav2Vec2

LIMIT = 2e-5  # of the standard deviation: the README's for transformers
LAYERS = 4
VECTORS: dict[str, type[Ssl]] = {
    "fairseq_xlsr_tiny": Wav2Vec2,
    "fairseq_w2v2base_tiny": Wav2Vec2,
    "fairseq_hubert_tiny": Hubert,
}
MODELS = pytest.mark.parametrize("name", VECTORS)


def front_end(vector: Vector, **settings: Any) -> Ssl:
    """A whole front-end with the weights of a vector; settings of the defaults here are those of the vector."""
    config = vector.about["transformers_config"]
    own = {"layer": LAYERS, "normalize": False, "config": config, **settings}
    model = VECTORS[vector.name](SslSettings("random", **own)).eval()
    weights = fairseq_names.in_transformers(vector.weights("fairseq"))
    model.model.load_state_dict({key: weights[key] for key in model.model.state_dict()})
    return model


def features(vector: Vector, **settings: Any) -> Tensor:
    with torch.no_grad():
        return front_end(vector, **settings)(torch.from_numpy(vector["wav"]))


@MODELS
def test_every_name_of_fairseq_becomes_the_one_that_was_measured(name: str, golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, name)
    expected = {theirs: ours for theirs, ours in vector.about["key_map"].items() if ours is not None}
    names = fairseq_names.in_transformers({key: key for key in vector.shapes("fairseq")})
    assert {theirs: ours for ours, theirs in names.items()} == expected


@MODELS
def test_outputs_of_all_blocks_are_those_of_fairseq_before_any_norm(name: str, golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, name)
    layers = features(vector, layers="all")
    for number in range(LAYERS + 1):
        assert_close(layers[:, number], vector[f"fairseq_layer_{number}"], LIMIT)
    assert torch.equal(features(vector, layers="blocks"), layers[:, 1:])


@MODELS
@pytest.mark.parametrize("layer", [1, LAYERS])
def test_the_output_of_one_block_is_that_of_fairseq(name: str, layer: int, golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, name)
    assert_close(features(vector, layer=layer), vector[f"fairseq_layer_{layer}"], LIMIT)


@MODELS
def test_the_last_output_of_fairseq_has_the_final_norm_if_the_model_has_one(name: str, golden_detectors: Path) -> None:
    # transformers 5.23 has the last hidden state before that norm, 4.46 after it
    vector = Vector(golden_detectors, name)
    has_norm = vector.about["transformers_config"]["do_stable_layer_norm"]
    assert_close(features(vector, final_norm=has_norm), vector["x"], LIMIT)
    assert (abs(vector["x"] - vector[f"fairseq_layer_{LAYERS}"]).max() > 1) == has_norm


def test_a_name_that_fairseq_does_not_have_stays() -> None:
    assert fairseq_names.renamed("encoder.layers.0.self_attn.qkv.weight") == "encoder.layers.0.self_attn.qkv.weight"
    assert fairseq_names.in_transformers({"quantizer.vars": 1, "odd": 2}) == {"odd": 2}
