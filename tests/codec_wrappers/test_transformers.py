"""The audio tokenizers of transformers: equal to our codecs where both exist, and read from folders as on the hub."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from small_codecs import SMALL
from torch import Tensor, nn

import codec_wrappers
from codec_wrappers.codec import Codec, TrainableCodec
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.networks import weight_norm
from codec_wrappers.transformers_settings import FAMILIES
from codec_wrappers.weights.loading import WeightsError
from codecfake.base.settings import SettingsError

TOKENIZERS = {name: form for name, form in FORMS.items() if form.wrapper == "transformers"}
MIMI = FORMS["mimi"].small


def built(model: dict[str, Any], seed: int = 1) -> Codec:
    return codec_wrappers.build("transformers", {**model, "seed": seed})


def speech(codec: Codec, frames: int = 12) -> Tensor:
    assert codec.sample_rate is not None
    return speech_like(codec.sample_rate, 1, frames * codec.hop_length, seed=0)


# Two independent implementations of one codec


def learned(name: str, model: dict[str, Any]) -> Codec:
    """Our codec with filled codebooks and folded weights."""
    torch.manual_seed(0)
    codec = codec_wrappers.build(name, model)
    assert isinstance(codec, TrainableCodec)
    codec.reconstruct(speech_like(codec.sample_rate, 2, 40 * codec.hop_length, seed=1))
    weight_norm.fold(codec.network.eval())
    return codec


def copy_weights(ours: Any, theirs: Any) -> None:
    """Copy parameters and buffers from layer to layer: both networks have the same layers in the same order."""
    for part in ("encoder", "quantizer", "decoder"):
        layers = [list(leaves(getattr(network, part))) for network in (ours, theirs)]
        for source, target in zip(*layers, strict=True):
            tensors = dict(source.named_parameters()) | dict(source.named_buffers())
            names = [*dict(target.named_parameters()), *(name for name in ("embed",) if hasattr(target, name))]
            for name in names:
                getattr(target, name).data.copy_(tensors[name])


def leaves(module: nn.Module) -> Iterator[nn.Module]:
    for each in module.modules():
        if not list(each.children()) and (list(each.parameters()) or hasattr(each, "embed")):
            yield each


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "model", "family", "config"),
    [
        ("encodec", SMALL["encodec"], "encodec", FORMS["transformers_encodec"].small["config"]),
        ("dac", SMALL["dac"], "dac", FORMS["transformers_dac_16k"].small["config"] | {"decoder_hidden_size": 48}),
    ],
)
def test_a_tokenizer_gives_what_our_codec_gives_with_the_same_weights(
    name: str, model: dict[str, Any], family: str, config: dict[str, Any]
) -> None:
    ours = learned(name, model)
    theirs = built({"family": family, "config": config})
    weight_norm.fold(theirs.network)
    copy_weights(ours.network, theirs.network)
    wav = speech(ours, 30)
    with torch.inference_mode():
        codes, expected = theirs.encode(wav), ours.encode(wav)
        assert len(expected.unique()) > 4
        assert torch.equal(codes, expected)
        torch.testing.assert_close(theirs.decode(codes[:, :2]), ours.decode(codes[:, :2]), atol=1e-5, rtol=1e-4)


def test_a_folded_network_gives_the_same_waveform() -> None:
    codec = built({"family": "encodec", "config": FORMS["transformers_encodec"].small["config"]})
    codes = torch.zeros(1, 4, 6, dtype=torch.int64)
    with torch.inference_mode():
        before = codec.decode(codes)
    weight_norm.fold(codec.network)
    assert not any("parametrizations" in name for name in codec.network.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(codec.decode(codes), before)


# Shapes and latents


def test_every_family_has_a_form() -> None:
    assert {form.model["family"] for form in TOKENIZERS.values()} == set(FAMILIES)


@pytest.mark.parametrize(
    ("model", "rate", "hop", "quantizers", "kbps"),
    [
        ({"family": "encodec"}, 24_000, 320, 32, 24.0),
        ({"family": "dac"}, 44_100, 512, 9, 7.751953125),
        (FORMS["transformers_dac_16k"].model, 16_000, 320, 12, 6.0),
        ({"family": "mimi"}, 24_000, 1920, 32, 4.4),
        ({"family": "xcodec"}, 16_000, 320, 8, 4.0),
        ({"family": "higgs"}, 24_000, 960, 8, 2.0),
        ({"family": "xcodec2"}, 16_000, 320, 1, 0.8),
        ({"family": "neucodec"}, 24_000, 480, 1, 0.8),
        ({"family": "pockettts"}, 24_000, 1920, 1, None),
        ({"family": "vibevoice"}, 24_000, 3200, 1, None),
    ],
)
def test_shapes_and_bit_rates_are_the_published_ones(
    model: dict[str, Any], rate: int, hop: int, quantizers: int, kbps: float | None
) -> None:
    from codec_wrappers.codec import bitrate_kbps

    shape = codec_wrappers.shape("transformers", model)
    assert shape is not None
    assert (shape.sample_rate, shape.hop_length, shape.num_quantizers) == (rate, hop, quantizers)
    assert bitrate_kbps(shape, quantizers) == kbps


@pytest.mark.long
@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_shape_of_the_settings_is_that_of_the_network(name: str) -> None:
    codec = built(TOKENIZERS[name].small)
    config = codec.network.config
    of_dac = math.prod(getattr(config, "downsampling_ratios", [0]))
    assert codec.hop_length == getattr(config, "frame_size", getattr(config, "hop_length", of_dac))
    keys = ("sampling_rate", "sample_rate", "output_sampling_rate")
    rate = next((getattr(config, key) for key in keys if hasattr(config, key)), 24_000)
    assert codec.sample_rate == rate
    with torch.inference_mode():
        assert codec.encode(speech(codec)).shape[1] == codec.num_quantizers


@pytest.mark.long
@pytest.mark.parametrize("name", ["pockettts", "vibevoice"])
def test_latents_have_one_vector_for_each_frame_and_no_bit_rate(name: str) -> None:
    codec = built(TOKENIZERS[name].small)
    with torch.inference_mode():
        latents = codec.encode(speech(codec))
    assert latents.shape == (1, 1, 12, 8)
    assert latents.dtype == torch.float32
    assert codec.bits_per_code is None and codec.bitrate_kbps(1) is None


def test_a_seed_makes_the_same_network_and_another_seed_another() -> None:
    first, again, other = (built(MIMI, seed).network.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_seed_leaves_the_generator_of_the_caller_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    built(MIMI)
    assert torch.equal(torch.rand(1), expected)


# Folders of the hub's form


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built(MIMI).network.save_pretrained(tmp_path / "mimi")
    return tmp_path / "mimi"


def load(folder: Path | None, model: dict[str, Any] = MIMI) -> Codec:
    return codec_wrappers.load("transformers", model, folder)


def test_a_published_folder_makes_the_same_codec(folder: Path) -> None:
    ours, loaded = built(MIMI), load(folder)
    wav = speech(ours)
    with torch.inference_mode():
        assert torch.equal(loaded.encode(wav), ours.encode(wav))
        assert torch.equal(loaded.decode(ours.encode(wav)), ours.decode(ours.encode(wav)))


def change(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_folder_of_another_model_is_refused(folder: Path) -> None:
    change(folder, model_type="dac")
    with pytest.raises(WeightsError, match=r"config.json: is of 'dac'; mimi needs 'mimi'"):
        load(folder)


def test_a_folder_with_other_values_is_refused_with_the_key_to_write(folder: Path) -> None:
    with pytest.raises(WeightsError, match="num_quantizers is 4, and 32 in the codec's `model`; write the file's"):
        load(folder, {"family": "mimi"})


def test_a_folder_that_lacks_a_tensor_is_refused_by_its_name(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if name.endswith("embed_sum"))
    del tensors[name]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="its tensors are not those of MimiModel .*missing"):
        load(folder)


@pytest.mark.parametrize("data", [None, b"not tensors at all"])
def test_a_folder_without_readable_safetensors_is_refused(folder: Path, data: bytes | None) -> None:
    (folder / "model.safetensors").unlink()
    if data is not None:
        (folder / "model.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="cannot be read as MimiModel"):
        load(folder)


def test_no_weights_are_refused() -> None:
    with pytest.raises(WeightsError, match="mimi: no weights to load; give a folder with config.json"):
        load(None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"family": "mimmi"}, "unknown family 'mimmi'; did you mean 'mimi'"),
        ({"family": "mimi", "config": {"codebook_sise": 16}}, "unknown key 'codebook_sise'; did you mean"),
        ({"family": "mimi", "config": {"audio_channels": 2}}, "2 channels; codecs get one, so give 1"),
        ({"family": "encodec", "config": {"chunk_length_s": 1.0}}, "stereo models alone cut and normalize"),
        ({"family": "mimi", "config": {"upsampling_ratios": None}}, "config: TypeError.*give the keys as in the model"),
    ],
)
def test_settings_that_no_network_has_are_refused(model: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        codec_wrappers.build("transformers", model)


def test_a_random_network_without_a_seed_is_known_as_such() -> None:
    assert codec_wrappers.lacks_seed("transformers", {"family": "mimi"})
    assert not codec_wrappers.lacks_seed("transformers", {"family": "mimi", "seed": 1})
    assert not codec_wrappers.lacks_seed("encodec", {})


# What codecs are made of


def test_kinds_of_codecs_follow_their_forms() -> None:
    for form in FORMS.values():
        assert codec_wrappers.kinds(form.wrapper, form.model) is not None
    waveform, spectrum = (
        codec_wrappers.kinds("funcodec", {"architecture": name}) for name in ("ds320", "freqcodec_gr1")
    )
    assert waveform is not None and waveform.decoder == "time"
    assert spectrum == replace(waveform, decoder="frequency")
    fsq = codec_wrappers.kinds("transformers", {"family": "xcodec2", "config": {"quantization_levels": [4, 4]}})
    assert fsq is not None and fsq.quantizer == "fsq"


def test_more_codebooks_never_have_fewer_bits() -> None:
    shape = codec_wrappers.shape("transformers", {"family": "mimi"})
    from codec_wrappers.codec import bitrate_kbps

    assert shape is not None
    assert all(fewer < more for fewer, more in pairwise(bitrate_kbps(shape, n) or 0 for n in range(1, 33)))
