"""What every back-end of the registry promises, and closed forms of single ones."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from small_back_ends import LAYERS, SMALL, back_end, features
from torch import Tensor, nn

from codecfake.base.settings import SettingsError
from codecfake.detectors import BONAFIDE, SPOOF, FeatureShape, models
from codecfake.detectors.aggregations import WeightedSum
from codecfake.detectors.detector import Detector
from codecfake.detectors.mhfa import Mhfa
from codecfake.detectors.settings import AGGREGATIONS, BACK_ENDS, DetectorSettings

XLS_R = FeatureShape(num_frames=201, dimension=1024, frames_first=False)
BASE_LAYERS, LARGE_LAYERS = 13, 25
WITH_HEAD = [name for name in BACK_ENDS if "head" in BACK_ENDS.part(name).complete({})]
WITHOUT_EFFECT = {
    # the published network discards this norm, and softmax cancels what is equal for all it weighs
    "aasist": r"\.bn1\.|^attention\.3\.bias",
    "mhfa": r"cmp_linear_k\.bias|att_head\.bias",
}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_every_back_end_is_tested_here() -> None:
    assert set(SMALL) == set(BACK_ENDS)


@pytest.mark.parametrize("name", SMALL)
def test_a_back_end_gives_two_finite_logits_a_clip_whatever_the_others_are(name: str) -> None:
    model, inputs = back_end(name).eval(), features(name, 3)
    logits = model(inputs)
    assert logits.shape == (3, 2)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits[1:2], model(inputs[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_evaluation_gives_the_same_logits_again_and_changes_nothing(name: str) -> None:
    model, inputs = back_end(name).eval(), features(name, 3)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    assert torch.equal(model(inputs), model(inputs))
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize("name", SMALL)
def test_a_back_end_moves_to_another_precision_as_a_whole(name: str) -> None:
    model, inputs = back_end(name).eval(), features(name, 2)
    single = model(inputs)
    torch.testing.assert_close(model.double()(inputs.double()).float(), single, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_of_one_clip_trains_a_back_end(name: str) -> None:
    model = back_end(name).train()
    logits = model(features(name, 1))
    F.cross_entropy(logits, torch.tensor([SPOOF])).backward()
    assert logits.isfinite().all()
    assert any(weight.grad is not None and weight.grad.any() for weight in model.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_that_can_have_an_effect_gets_a_gradient(name: str) -> None:
    model = back_end(name).train()
    F.cross_entropy(model(features(name, 8)), torch.tensor([SPOOF, BONAFIDE] * 4)).backward()
    silent = [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert [key for key in silent if not re.search(WITHOUT_EFFECT.get(name, "^$"), key)] == []


@pytest.mark.parametrize("name", WITH_HEAD)
def test_the_logits_of_a_cosine_are_it_and_its_negative(name: str) -> None:
    model, inputs = back_end(name, head="cosine").eval(), features(name, 3)
    logits = model(inputs)
    assert torch.equal(logits[:, SPOOF], -logits[:, BONAFIDE])
    assert (logits.abs() <= 1 + 1e-6).all()


@pytest.mark.parametrize("name", WITH_HEAD)
def test_a_single_logit_is_that_of_bona_fide_speech(name: str) -> None:
    logits = back_end(name, head="single").eval()(features(name, 3))
    assert torch.equal(logits[:, SPOOF], torch.zeros(3))
    assert logits[:, BONAFIDE].any()


def test_the_first_direction_of_a_cosine_is_uniform_as_published() -> None:
    weight = back_end("pooling", head="cosine").proj_fc.weight
    bound = (6 / (1 + 0.25**2) / 32) ** 0.5
    assert weight.shape == (32, 1)
    assert 0.8 * bound < weight.abs().max() <= bound


def parameters(name: str, shape: FeatureShape, **settings: Any) -> int:
    part = BACK_ENDS.part(name)
    model = part.load()(shape, part.build_settings(settings))
    return sum(parameter.numel() for parameter in model.parameters())


def layers(number: int, dimension: int = 1024) -> FeatureShape:
    return FeatureShape(num_frames=201, dimension=dimension, frames_first=False, num_layers=number)


MHFA_LAST = 2 * 256 + 2 * 256 + 2  # BatchNorm and the last layer, which the published count leaves out
SINGLE = {"head": "single", "dilation": 1}


@pytest.mark.parametrize(
    ("name", "shape", "settings", "count"),
    [
        ("aasist", XLS_R, {}, 447_242),
        pytest.param("sls", layers(24), {}, 23_399_429, marks=pytest.mark.long),
        ("nes2net", XLS_R, {"form": "plain", **SINGLE}, 510_769),
        ("nes2net", XLS_R, SINGLE, 511_014),
        ("nes2net", XLS_R, {"activation": "selu", **SINGLE}, 511_014),
        ("nes2net", XLS_R, {"pooling": "astp", **SINGLE}, 775_334),
        ("nes2net", XLS_R, {}, 512_039),
        ("mhfa", layers(LARGE_LAYERS), {}, 1_315_410 + MHFA_LAST),
        ("mhfa", layers(BASE_LAYERS, 768), {}, 1_249_850 + MHFA_LAST),
        ("conformer", XLS_R, {}, 2_382_628),
        ("pooling", XLS_R, {}, 2 * 1024 + 2),
        ("pooling", XLS_R, {"head": "cosine"}, 1024),
    ],
)
def test_a_back_end_has_as_many_parameters_as_published(
    name: str, shape: FeatureShape, settings: dict[str, Any], count: int
) -> None:
    assert parameters(name, shape, **settings) == count


@pytest.mark.parametrize(
    ("name", "count"), [("weighted_sum", 25), ("sea", 400), pytest.param("attm", 26_217_048, marks=pytest.mark.long)]
)
def test_an_aggregation_has_as_many_parameters_as_published(name: str, count: int) -> None:
    part = AGGREGATIONS.part(name)
    model = part.load()(layers(LARGE_LAYERS), part.build_settings({}))
    assert sum(parameter.numel() for parameter in model.parameters()) == count


# single back-ends


def test_sls_is_the_published_sum_over_layers_by_their_gates() -> None:
    model, inputs = back_end("sls").eval(), features("sls", 2)
    fused = torch.zeros(2, 40, 32)
    for layer in range(LAYERS):
        gate = torch.sigmoid(inputs[:, layer].mean(dim=1) @ model.fc0.weight.T + model.fc0.bias)
        fused += gate[:, :, None] * inputs[:, layer]
    torch.testing.assert_close(model.fused(inputs), fused)
    assert torch.allclose(model(inputs).exp().sum(dim=1), torch.ones(2))


def test_mhfa_reads_the_layer_that_has_all_weight() -> None:
    model, inputs = back_end("mhfa").eval(), features("mhfa", 2)
    alone = Mhfa(FeatureShape(40, 32, True), BACK_ENDS.part("mhfa").build_settings(SMALL["mhfa"])).eval()
    with torch.no_grad():
        for weights in (model.weights_k, model.weights_v):
            weights.copy_(torch.tensor([-100.0, 100.0, -100.0]))
    alone.load_state_dict(model.state_dict() | {"weights_k": torch.ones(1), "weights_v": torch.ones(1)})
    torch.testing.assert_close(model(inputs), alone(inputs[:, 1:2]))


def test_mhfa_does_not_depend_on_the_order_of_frames() -> None:
    model, inputs = back_end("mhfa").eval(), features("mhfa", 2)
    torch.testing.assert_close(model(inputs), model(inputs.flip(2)))


@pytest.mark.parametrize("form", ["plain", "x"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_nes2net_sees_as_far_as_its_nested_convolutions_reach(form: str, dilation: int) -> None:
    # 3 inner steps in each of 3 blocks in a chain; squeeze-excitation, which sees all frames, is taken out
    model = back_end("nes2net", form=form, dilation=dilation, activation="selu").eval()
    for block in model.Build_in_Res2Nets:
        block.se = nn.Identity()
    model.pooling = nn.Identity()
    inputs = torch.randn(1, 101, 32, requires_grad=True)
    model.embed(inputs)[0, :, 50].sum().backward()
    (frames,) = inputs.grad.abs().sum(dim=2)[0].nonzero(as_tuple=True)
    assert frames.tolist() == list(range(50 - 9 * dilation, 50 + 9 * dilation + 1, dilation))


def test_attentive_pooling_without_attention_is_mean_and_standard_deviation() -> None:
    model, inputs = back_end("nes2net", pooling="astp").eval(), torch.randn(2, 32, 40)
    nn.init.zeros_(model.pooling.linear2.weight)
    expected = torch.cat((inputs.mean(dim=2), inputs.std(dim=2, correction=0)), dim=1)
    torch.testing.assert_close(model.pooling(inputs), expected, rtol=1e-4, atol=1e-5)


def test_a_conformer_without_tcm_has_no_head_tokens() -> None:
    plain, tcm = back_end("conformer", tcm=False), back_end("conformer")
    more = set(tcm.state_dict()) - set(plain.state_dict())
    assert {name.split(".")[-2] if "ht_" in name else name.split(".")[-1] for name in more} == {
        "ht_proj",
        "ht_norm",
        "pos_embed",
    }
    tokens = torch.randn(1, 5, 16)
    assert plain.conformer.encoder_blocks[0].attn.fn.attention(tokens)[0].shape == (1, 2, 5, 5)


def test_a_conformer_knows_the_order_of_frames() -> None:
    model, inputs = back_end("conformer").eval(), features("conformer", 1)
    assert not torch.allclose(model(inputs), model(inputs.flip(1)), atol=1e-4)


# aggregations


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_an_aggregation_makes_one_layer_of_several_for_each_clip_alone(name: str) -> None:
    part = AGGREGATIONS.part(name)
    model = part.load()(FeatureShape(40, 32, False, num_layers=7), part.build_settings({}))
    inputs = torch.randn(3, 7, 40, 32)
    outputs = model(inputs)
    assert outputs.shape == (3, 40, 32)
    torch.testing.assert_close(model(inputs[2:]), outputs[2:], rtol=1e-4, atol=1e-5)
    outputs.square().sum().backward()
    assert all(parameter.grad.any() for parameter in model.parameters())


def test_a_weighted_sum_is_the_mean_at_first() -> None:
    model = WeightedSum(FeatureShape(4, 5, False, num_layers=3), AGGREGATIONS.part("weighted_sum").build_settings({}))
    inputs = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(model(inputs), inputs.mean(dim=1))


# detectors


CROP = 8_000
RANDOM_SSL: dict[str, Any] = {
    "name": "wav2vec2", "weights": "random", "layer": 2,
    "config": {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [8] * 7},
}  # fmt: skip


def settings(name: str, aggregation: str | None) -> DetectorSettings:
    several = aggregation is not None or BACK_ENDS.part(name).several_layers
    front_end = {**RANDOM_SSL, "layers": "blocks" if several else "one"}
    return DetectorSettings(front_end, {"name": name, **SMALL[name]}, aggregation and {"name": aggregation})


def scored(detector: nn.Module, wav: Tensor) -> Tensor:
    with torch.no_grad():
        return detector.eval()(wav)


@pytest.mark.parametrize(
    ("name", "aggregation"), [*((name, None) for name in SMALL), *(("pooling", each) for each in AGGREGATIONS)]
)
def test_a_model_folder_gives_the_logits_of_the_detector_that_it_was_made_from(
    name: str, aggregation: str | None, tmp_path: Path
) -> None:
    parts = settings(name, aggregation)
    detector, wav = Detector(parts, CROP), 0.1 * torch.randn(2, CROP)
    record = {
        "front_end_weights": detector.front_end_weights(),
        "settings": {"detector": parts.complete(), "crop_samples": CROP},
    }
    models.save(tmp_path, detector.own_state(), record)
    again, _ = models.load(tmp_path, torch.device("cpu"))
    assert torch.equal(scored(again, wav), scored(detector, wav))


# settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": "pooling", "head": "cosin"}, "head: unknown head 'cosin'; did you mean 'cosine'"),
        ({"name": "nes2net", "form": "y"}, "form: unknown form 'y'; choose from plain, x"),
        ({"name": "nes2net", "groups": [8, 1]}, r"groups: nes2net groups are \[8, 1\]; two numbers of at least 2"),
        ({"name": "nes2net", "dilation": 0}, "dilation: nes2net dilation is 0; it must be at least 1"),
        ({"name": "conformer", "dimension": 18}, "dimension: conformer dimension is 18; it must be a multiple of 8"),
        ({"name": "conformer", "kernel_size": 4}, "kernel_size: conformer kernel_size is 4; it must be odd"),
        ({"name": "lcnn", "head": "none"}, "head: unknown head 'none'; did you mean 'cosine'"),
    ],
)
def test_settings_that_make_no_back_end_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"back_end.{message}"):
        DetectorSettings({"name": "mel"}, values)


def test_a_reduction_below_1_is_refused() -> None:
    with pytest.raises(SettingsError, match="aggregation.reduction: reduction is 0; it must be at least 1"):
        DetectorSettings({**RANDOM_SSL, "layers": "all"}, {"name": "pooling"}, {"name": "sea", "reduction": 0})


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("nes2net", FeatureShape(100, 80, True), "nes2net divides features into 8 x 8 parts, but the front-end has 80"),
        ("sls", FeatureShape(2, 80, True), "sls pools frames and features by 3, but one side has 2 points"),
        ("conformer", FeatureShape(10_001, 80, True), "conformer reads 10000 frames, but a clip has 10001"),
    ],
)
def test_features_that_a_back_end_cannot_take_are_refused(name: str, shape: FeatureShape, message: str) -> None:
    part = BACK_ENDS.part(name)
    with pytest.raises(ValueError, match=message):
        part.load()(shape, part.build_settings({}))
