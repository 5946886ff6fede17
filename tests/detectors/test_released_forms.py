"""Released detectors with fine-tuned front-ends: their key lists fit our networks, and their logits are the same."""

import dataclasses
import hashlib
import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_vectors import Vector, assert_close, assert_logits
from safetensors.torch import save_file
from torch import Tensor

from codecfake.__main__ import main
from codecfake.base import torch_files
from codecfake.commands.judging import crop
from codecfake.detectors import models, released_forms
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.detectors.fairseq_names import renamed
from codecfake.detectors.released import PUBLISHED_SCORES, ReleasedError, import_checkpoint, ours_to_theirs
from codecfake.detectors.released_forms import RELEASED, whole_front_end

CPU = torch.device("cpu")
LISTS = {  # form -> the list of its keys
    "ssl-aasist": "ssl_aasist",
    "sls": "sls",
    "nes2net-x": "nes2net_x_speech",
    "tcm-conformer": "tcm_conformer",
    "antideepfake-wav2vec-small": "antideepfake_w2v_small",
    "antideepfake-wav2vec-large": "antideepfake_w2v_large",
    "antideepfake-mms-300m": "antideepfake_mms_300m",
    "antideepfake-mms-1b": "antideepfake_mms_1b",
    "antideepfake-xls-r-1b": "antideepfake_xlsr_1b",
    "antideepfake-xls-r-2b": "antideepfake_xlsr_2b",
    "antideepfake-hubert-xlarge": "antideepfake_hubert_xlarge",
}


def key_list(folder: Path, name: str) -> dict[str, list[int]]:
    """Names and shapes of the tensors of a released file."""
    one = json.loads((folder / "released_key_lists.json").read_text())["lists"][name]
    layers = {
        key.replace("{N}", str(number)): shape
        for number in range(one["layers"])
        for key, shape in one["per_layer"].items()
    }
    keys = {**one["other"], **layers}
    lines = "\n".join(sorted(f"{key} {shape}" for key, shape in keys.items()))
    assert len(keys) == one["keys"]
    assert hashlib.sha256(lines.encode()).hexdigest() == one["sha256_of_sorted_key_shape_lines"]
    return keys


@pytest.mark.parametrize("name", LISTS)
def test_every_tensor_of_a_released_file_has_its_place_and_shape(name: str, golden_detectors: Path) -> None:
    form = RELEASED[name]
    shapes = torch_files.without_wrapper(key_list(golden_detectors, LISTS[name]))
    with torch.device("meta"):
        crop = form.crop if isinstance(form.crop, int) else released_forms.CROP_SAMPLES
        detector = Detector(DetectorSettings(form.front_end, form.back_end), crop)
    expected = {key: list(tensor.shape) for key, tensor in detector.own_state().items()}
    ours = {key: shapes[theirs] for key, theirs in ours_to_theirs(shapes, form).items()}
    unused = set(ours) - set(expected)
    assert {key: shape for key, shape in ours.items() if key not in unused} == expected
    final_norm = {f"front_end.model.encoder.layer_norm.{kind}" for kind in ("weight", "bias")}
    assert unused == (final_norm if name == "sls" else set())


# Whole detectors of the official code, at small size


SMALL: dict[str, Any] = {  # in fairseq's terms
    "encoder_embed_dim": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_embed_dim": 8,
    "conv_feature_layers": "(16,", "layer_norm_first": True,
}  # fmt: skip


def small(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of transformers for one of fairseq; the defaults of both are base models."""
    channels = 16
    assert f"({channels}," in config["conv_feature_layers"]
    is_large = config.get("layer_norm_first", False)
    return {
        "hidden_size": config["encoder_embed_dim"],
        "num_hidden_layers": config["encoder_layers"],
        "num_attention_heads": config["encoder_attention_heads"],
        "intermediate_size": config["encoder_ffn_embed_dim"],
        "conv_dim": [channels] * 7,
        "conv_bias": config.get("conv_bias", False),
        "feat_extract_norm": "layer" if is_large else "group",
        "do_stable_layer_norm": is_large,
    }


def imported(
    state: dict[str, Tensor],
    name: str,
    config: dict[str, Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    **crop: int,
) -> Detector:
    """A released detector whose form has the size of the state."""
    form = RELEASED[name]
    own = {key: value for key, value in form.front_end.items() if key not in ("name", "weights", "config", "layer")}
    front_end = {**whole_front_end(small(config), form.front_end["name"]), **own}
    front_end["final_norm"] &= small(config)["do_stable_layer_norm"]
    monkeypatch.setitem(RELEASED, name, dataclasses.replace(form, front_end=front_end, **crop))
    torch.save(state, folder / "released.pth")
    import_checkpoint(folder / "released.pth", name, folder / "model")
    return models.load(folder / "model", CPU)[0]


@pytest.mark.parametrize("prefix", ["", pytest.param("module.", marks=pytest.mark.long)])
def test_imported_ssl_aasist_gives_the_logits_of_the_official_code(
    prefix: str, golden_detectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = Vector(golden_detectors, "ssl_aasist")
    state = {f"{prefix}{key}": tensor for key, tensor in vector.weights("full").items()}
    detector = imported(state, "ssl-aasist", vector.about["fairseq_config"], tmp_path, monkeypatch, crop=16_000)
    with torch.no_grad():
        features = detector.front_end(torch.from_numpy(vector["wav"]))
        logits = detector.head(features)
    assert_close(features[:, :4], vector["ssl_features_first4"], 2e-5)
    assert_close(features.mean(1), vector["ssl_features_mean"], 2e-5)
    assert_logits(logits, vector["wav_logits"])
    assert_logits(PUBLISHED_SCORES["logit"](logits), vector["wav_logits"][:, 1])


@pytest.mark.parametrize(
    ("part", "name", "config", "array"),
    [
        ("w2v_stable", "antideepfake-mms-300m", "tiny_mms_300m", "w2v_stable_logits"),
        ("w2v_base", "antideepfake-wav2vec-small", "tiny_w2v_small", "w2v_base_logits"),
        ("hubert", "antideepfake-hubert-xlarge", "tiny_hubert", "hubert_logits"),
        ("w2v_ocsoftmax", "antideepfake-mms-300m", "tiny_mms_300m", "w2v_ocsoftmax_cos"),
    ],
)
def test_imported_antideepfake_gives_the_logits_of_the_official_code(
    part: str, name: str, config: str, array: str, golden_detectors: Path, tmp_path: Path, monkeypatch
) -> None:
    vector = Vector(golden_detectors, "antideepfake")
    detector = imported(vector.weights(part), name, vector.about["configs"][config], tmp_path, monkeypatch)
    with torch.no_grad():
        for number, wav in enumerate(torch.from_numpy(vector["raw"])):  # of any length, one at a time
            assert_logits(detector(wav[None]), vector[array][[number]])
    record = models.read_record(tmp_path / "model")
    assert record["settings"]["crop"] == "whole"
    assert record["released"]["license"] == "CC-BY-NC-SA-4.0"


def test_a_safetensors_copy_is_read_as_the_original(
    golden_detectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = Vector(golden_detectors, "antideepfake")
    state, config = vector.weights("w2v_stable"), vector.about["configs"]["tiny_mms_300m"]
    imported(state, "antideepfake-mms-300m", config, tmp_path, monkeypatch)
    save_file({f"module.{key}": tensor for key, tensor in state.items()}, tmp_path / "copy.safetensors")
    import_checkpoint(tmp_path / "copy.safetensors", "antideepfake-mms-300m", tmp_path / "copy")
    weights = [(tmp_path / name / models.WEIGHTS).read_bytes() for name in ("model", "copy")]
    assert weights[0] == weights[1]
    (tmp_path / "copy.safetensors").write_bytes(b"{}")
    with pytest.raises(ReleasedError, match="copy.safetensors: damaged: not safetensors"):
        import_checkpoint(tmp_path / "copy.safetensors", "antideepfake-mms-300m", tmp_path / "damaged")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ssl_model.model.encoder.odd": torch.zeros(1)}, r"has 1 tensors \(ssl_model.model.encoder.odd\) too many"),
        ({"odd": torch.zeros(1)}, r"has 1 tensors \(odd\) too many"),
        ({"LL.bias": None}, r"it lacks 1 tensors \(back_end.LL.bias\)"),
        (
            {"ssl_model.model.layer_norm.bias": None},
            r"lacks 1 tensors \(front_end.model.feature_projection.layer_norm",
        ),
        ({"LL.bias": torch.zeros(3)}, r"back_end.LL.bias is float32 \[3\], but float32 \[128\] is needed"),
    ],
)
def test_a_file_that_does_not_fit_to_the_last_tensor_is_refused_by_name(
    change: dict[str, Tensor | None], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {**fairseq_state("ssl-aasist", SMALL), **change}
    with pytest.raises(ReleasedError, match=message):
        imported({key: t for key, t in state.items() if t is not None}, "ssl-aasist", SMALL, tmp_path, monkeypatch)
    assert not (tmp_path / "model").exists()


def fairseq_state(name: str, config: dict[str, Any]) -> dict[str, Tensor]:
    """A state with fairseq's names for a form of this size, all zeros, without what our detector does not use."""
    form = RELEASED[name]
    own = {key: form.front_end[key] for key in ("layers", "final_norm") if key in form.front_end}
    front_end = {**whole_front_end(small(config), normalize=False), **own}
    detector = Detector(DetectorSettings(front_end, form.back_end), form.crop if name == "tcm-conformer" else 16_000)
    theirs = {renamed(key): f"{form.front_end_prefix}{key}" for key in fairseq_keys(config["encoder_layers"])}
    names = {f"front_end.model.{ours}": key for ours, key in theirs.items()}
    return {
        names.get(key, key.replace("back_end.", form.back_end_prefix, 1)): torch.zeros(tensor.shape, dtype=tensor.dtype)
        for key, tensor in detector.own_state().items()
    }


def fairseq_keys(layers: int) -> list[str]:
    parts = ["layer_norm", "post_extract_proj", "encoder.layer_norm"]
    for number in range(7):
        parts += [f"feature_extractor.conv_layers.{number}.0", f"feature_extractor.conv_layers.{number}.2.1"]
    for number in range(layers):
        attention = [f"self_attn.{kind}_proj" for kind in "qkv"] + ["self_attn.out_proj", "self_attn_layer_norm"]
        parts += [f"encoder.layers.{number}.{part}" for part in (*attention, "fc1", "fc2", "final_layer_norm")]
    weights = [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]
    return [
        "mask_emb",
        "encoder.pos_conv.0.bias",
        "encoder.pos_conv.0.weight_g",
        "encoder.pos_conv.0.weight_v",
        *weights,
    ]


def test_choices_that_a_form_does_not_have_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pth").touch()
    for name, choice, message in (
        ("ssl-aasist", {"front_end_weights": "xls-r"}, "the file of ssl-aasist contains its front-end; give no other"),
        ("ssl-aasist", {"dilation": 2}, "ssl-aasist has no dilation, which is of Nes2Net; give none"),
        ("mel-lcnn", {"crop": "whole"}, "mel-lcnn is for clips of 64600 samples; give no other length"),
    ):
        with pytest.raises(ReleasedError, match=message):
            import_checkpoint(tmp_path / "x.pth", name, tmp_path / "model", **choice)


def test_a_crop_is_a_number_of_samples_or_the_whole_recording() -> None:
    assert (crop("66800"), crop("whole")) == (66_800, "whole")
    for text in ("0", "-5", "4 s"):
        with pytest.raises(ArgumentTypeError, match="is neither a number of samples nor `whole`"):
            crop(text)


def test_the_published_score_of_sls_is_the_log_probability_of_bona_fide() -> None:
    logits = torch.tensor([[0.0, 0.0], [1.0, 3.0]])
    assert PUBLISHED_SCORES["log_probability"](logits).exp().tolist() == pytest.approx([0.5, 0.880797])
    assert PUBLISHED_SCORES["log_probability"](logits.log_softmax(1)).tolist() == pytest.approx(
        PUBLISHED_SCORES["log_probability"](logits).tolist()
    )


def test_forms_name_their_published_score_and_where_their_files_are() -> None:
    for name, form in RELEASED.items():
        assert form.published in PUBLISHED_SCORES, name
        assert form.origin, name


def test_imported_tcm_gives_the_logits_of_the_official_code_on_the_front_end_s_features(
    golden_detectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = Vector(golden_detectors, "tcm_conformer")
    config = {**SMALL, "encoder_embed_dim": 1024}
    front_end = {key: t for key, t in fairseq_state("tcm-conformer", config).items() if key.startswith("ssl_model.")}
    detector = imported({**front_end, **published_tcm(vector)}, "tcm-conformer", config, tmp_path, monkeypatch)
    with torch.no_grad():
        assert_logits(detector.head(torch.from_numpy(vector["features"]).float()), vector["logits"])
    assert models.read_record(tmp_path / "model")["settings"]["crop_samples"] == 66_800


def published_tcm(vector: Vector) -> dict[str, Tensor]:
    """The recipe's weights with the table of positions, which the official code does not train."""
    table = Detector(DetectorSettings({"name": "mel"}, {"name": "conformer"}), 66_800).back_end.conformer.positional_emb
    return {**vector.weights("backend"), "conformer.positional_emb": table}


def test_nes2net_has_the_dilation_of_its_form_unless_another_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {**SMALL, "encoder_embed_dim": 64}
    for form in ("nes2net", "nes2net-x"):
        state = fairseq_state(form, config)
        detector = imported(state, form, config, tmp_path, monkeypatch)
        assert detector.back_end.Build_in_Res2Nets[0].convs[0].dilation[0] == 2
        files = [str(tmp_path / "released.pth"), "--output", str(tmp_path / "one")]
        main(["import-checkpoint", *files, "--detector", form, "--dilation", "1", "--crop", "whole"])
        settings = models.read_record(tmp_path / "one")["settings"]
        assert settings["detector"]["back_end"]["dilation"] == 1
        assert settings["crop"] == "whole"


def test_sls_does_not_need_the_final_norm_that_its_file_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**SMALL, "encoder_layers": 2}
    state = {f"module.{key}": tensor for key, tensor in fairseq_state("sls", config).items()}
    assert "module.ssl_model.model.encoder.layer_norm.weight" not in state
    state |= {f"module.ssl_model.model.encoder.layer_norm.{kind}": torch.ones(16) for kind in ("weight", "bias")}
    detector = imported(state, "sls", config, tmp_path, monkeypatch, crop=16_000)
    assert detector.front_end.shape(16_000).num_layers == 2
    assert not any("encoder.layer_norm" in key for key in detector.own_state())
