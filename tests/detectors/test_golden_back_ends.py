"""Golden vectors of back-ends and aggregations: ours give what the official code gave with the same weights.

The official classes are spoof 0 and bona fide 1, as ours.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from golden_back_ends import check, filled, layers_by_rule, stored, under
from golden_vectors import Vector

from codecfake.detectors import BONAFIDE, FeatureShape

XLS_R = {"num_frames": 201, "dimension": 1024, "frames_first": False}
SINGING = {"dilation": 1, "head": "single"}
NES2NETS: dict[str, dict[str, Any]] = {
    "nes2net": {"form": "plain", **SINGING},
    "nes2net_x": SINGING,
    "nes2net_x_selu": {"activation": "selu", **SINGING},
    "nes2net_x_astp": {"pooling": "astp", **SINGING},
    "nes2net_x_speech": {},
}


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


def test_aasist_with_its_defaults_is_the_back_end_of_ssl_anti_spoofing(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "ssl_aasist")
    weights = {key: tensor for key, tensor in vector.weights("full").items() if not key.startswith("ssl_model.")}
    model, features = filled("aasist", FeatureShape(**XLS_R), weights), stored(vector, "features")
    check(vector, hidden=model.embed(features), logits=model(features))


@pytest.mark.long
def test_sls_gives_what_the_official_code_gave(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "sls")
    model = filled("sls", FeatureShape(**XLS_R, num_layers=24), vector.weights("backend"))
    layers = layers_by_rule(vector, "layers", (2, 24, 201, 1024))
    check(
        vector,
        gate=model.gates(layers),
        fused_excerpt=model.fused(layers)[:, None, :24],
        fc1=model.embed(layers),
        log_probs=model(layers),
    )


@pytest.mark.parametrize("name", NES2NETS)
def test_every_form_of_nes2net_gives_what_the_official_code_gave(golden_detectors: Path, name: str) -> None:
    vector = Vector(golden_detectors, "nes2net")
    features = stored(vector, "features").transpose(1, 2)
    shape = FeatureShape(features.shape[1], features.shape[2], frames_first=False)
    model = filled("nes2net", shape, under(vector.weights(name), "Nested_Res2Net_TDNN."), **NES2NETS[name])
    first = model.Build_in_Res2Nets[0](features.transpose(1, 2)[:, :128])[:, :, :10]
    logits = model(features)
    output = logits if vector[f"{name}_out"].shape[1] == 2 else logits[:, BONAFIDE:]
    check(vector, **{f"{name}_block0": first, f"{name}_pooled": model.embed(features), f"{name}_out": output})


AGGREGATIONS = [
    ("SEA", "sea"),
    ("WeightedSum", "weighted_sum"),
    pytest.param("AttM", "attm", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("theirs", "ours"), AGGREGATIONS)
def test_every_aggregation_gives_what_the_official_code_gave(golden_detectors: Path, theirs: str, ours: str) -> None:
    vector = Vector(golden_detectors, "nes2net")
    layers = layers_by_rule(vector, "hidden_states", (2, 25, 6, 1024))
    model = filled(ours, FeatureShape(6, 1024, False, num_layers=25), vector.weights(f"agg_{theirs}"))
    check(vector, **{f"agg_{theirs}": model(layers)})


def test_mhfa_gives_what_the_official_code_gave(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "mhfa")
    layers = stored(vector, "layers").permute(0, 3, 2, 1)
    weights = vector.weights("backend") | vector.weights("projection")
    model = filled("mhfa", FeatureShape(30, 48, False, num_layers=7), weights, heads=4, compression=16, embedding=24)
    attention, values = model.attention(layers)
    frames = (attention.unsqueeze(3) * values.unsqueeze(2)).mean(dim=2)
    check(
        vector,
        mix_k=model.weights_k.softmax(0),
        mix_v=model.weights_v.softmax(0),
        frame_embedding=frames,
        embedding=model.embed(layers),
        logits=model(layers),
    )


def test_the_conformer_with_tcm_gives_what_the_official_code_gave(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "tcm_conformer")
    features = stored(vector, "features")
    model = filled("conformer", FeatureShape(50, 1024, frames_first=False), vector.weights("backend"))
    tokens = model.conformer.tokens(F.selu(model.first_bn(model.LL(features)[:, None])).squeeze(1))
    first = model.conformer.encoder_blocks[0]
    inputs = first.attn.norm(tokens + first.ff1(tokens))
    attention, _ = first.attn.fn.attention(first.attn.fn.with_head_tokens(inputs))
    outputs = {"conformer_input": tokens, "attention_0": attention}
    for number, block in enumerate(model.conformer.encoder_blocks):
        tokens = outputs[f"block_{number}"] = block(tokens)
    table = model.conformer.positional_emb[0, :8]
    check(vector, **outputs, positional_emb_first8=table, logits=model(features))


@pytest.mark.parametrize("front_end", ["w2v_stable", "w2v_base", "hubert"])
def test_mean_pooling_gives_the_logits_of_antideepfake(golden_detectors: Path, front_end: str) -> None:
    vector = Vector(golden_detectors, "antideepfake")
    model = filled("pooling", FeatureShape(3, 32, False), last_layer(vector, front_end))
    pooled = stored(vector, f"{front_end}_pooled")
    check(vector, **{f"{front_end}_logits": model(pooled[:, None].expand(-1, 3, -1))})


def test_mean_pooling_with_a_cosine_gives_that_of_antideepfake(golden_detectors: Path) -> None:
    vector = Vector(golden_detectors, "antideepfake")
    model = filled("pooling", FeatureShape(1, 32, False), last_layer(vector, "w2v_ocsoftmax"), head="cosine")
    check(vector, w2v_ocsoftmax_cos=model(stored(vector, "w2v_ocsoftmax_pooled")[:, None]))


def last_layer(vector: Vector, part: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in vector.weights(part).items() if key.startswith("proj_fc.")}
