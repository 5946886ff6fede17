"""Vocos over EnCodec's codes, SNAC and BigCodec: equal to their packages, with the bit rates of their papers."""

from typing import Any

import pytest
import torch
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Codec, bitrate_kbps
from codec_wrappers.contract.signals import speech_like
from codecfake.experiment import reading
from codecfake.experiment.codecs import faults

pytestmark = pytest.mark.long


def built(name: str, **changes: Any) -> Codec:
    return codec_wrappers.build(name, {**SMALL[name], "seed": 1, **changes})


def speech(codec: Codec, frames: int = 24, batch: int = 1) -> Tensor:
    assert codec.sample_rate is not None
    return speech_like(codec.sample_rate, batch, frames * codec.hop_length, seed=0)


@pytest.mark.parametrize(
    ("name", "quantizers", "kbps"),
    [("vocos", 2, 1.5), ("vocos", 8, 6.0), ("snac", 3, 0.984375), ("snac", 1, 0.140625), ("bigcodec", 1, 1.04)],
)
def test_bit_rates_are_the_published_ones(name: str, quantizers: int, kbps: float) -> None:
    shape = codec_wrappers.shape(name, {})
    assert shape is not None
    assert bitrate_kbps(shape, quantizers) == pytest.approx(kbps, abs=1e-12)


@torch.inference_mode()
def test_snac_without_noise_decodes_as_its_package() -> None:
    codec = built("snac", noise=False)
    wav = speech(codec)
    codes = codec.encode(wav)
    theirs = codec.network.encode(wav[:, None])
    assert [code.shape[1] for code in theirs] == [6, 12, 24]
    assert all(torch.equal(codes[:, q, ::stride], theirs[q]) for q, stride in enumerate((4, 2, 1)))
    torch.testing.assert_close(codec.decode(codes), codec.network.decode(theirs)[:, 0], atol=1e-6, rtol=1e-5)


@torch.inference_mode()
def test_the_noise_of_snac_follows_the_codes_alone() -> None:
    codec = built("snac")
    first, second = (codec.encode(speech_like(24_000, 1, 24 * 512, seed)) for seed in (1, 2))
    alone = codec.decode(first)
    torch.manual_seed(9)
    together = codec.decode(torch.cat([second, first]))
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)
    loud = [codec.decode(codes) for codes in (first, second)]
    for name, parameter in codec.network.named_parameters():
        if ".linear." in name and name.endswith("original0"):
            parameter.zero_()
    noise = [output - codec.decode(codes) for output, codes in zip(loud, (first, second), strict=True)]
    correlation = torch.nn.functional.cosine_similarity(noise[0], noise[1])
    assert noise[0].std() > 1e-3 and correlation.abs() < 0.9


@torch.inference_mode()
def test_bigcodec_gives_what_its_package_gives() -> None:
    from bigcodec import BigCodec

    codec = built("bigcodec")
    package = BigCodec.__new__(BigCodec)
    torch.nn.Module.__init__(package)
    package.encoder, package.decoder = codec.network.encoder, codec.network.decoder
    wav = speech(codec)
    codes, theirs = codec.encode(wav), package.encode(wav[:, None])
    assert torch.equal(codes, theirs.transpose(0, 1))
    assert torch.equal(codec.decode(codes), package.decode(theirs.transpose(0, 1))[:, 0])


@torch.inference_mode()
def test_vocos_has_a_condition_for_each_number_of_codebooks() -> None:
    codec = built("vocos")
    codes = codec.encode(speech(codec))
    with pytest.raises(ValueError, match="3 quantizers, but this Vocos decodes 1, 2, 4; choose one of these"):
        codec.decode(codes[:, :3])
    rows: Any = codec.network.feature_extractor.codebook_weights.view(4, 16, 16)
    features = sum(rows[q][codes[:, q]] for q in range(2)).transpose(1, 2)
    network: Any = codec.network
    expected = network.head(network.backbone(features, bandwidth_id=torch.tensor([1])))
    torch.testing.assert_close(codec.decode(codes[:, :2]), expected)


@torch.inference_mode()
def test_the_codes_of_vocos_are_those_of_encodec() -> None:
    vocos, encodec = built("vocos"), codec_wrappers.build("encodec", SMALL["encodec"])
    theirs = vocos.network.feature_extractor.encodec
    encodec.network.encoder.load_state_dict(theirs.encoder.state_dict())
    encodec.network.quantizer.load_state_dict(theirs.quantizer.state_dict())
    wav = speech(vocos)
    assert torch.equal(vocos.encode(wav), encodec.encode(wav))


@pytest.mark.parametrize("name", ["snac", "bigcodec"])
def test_older_names_of_normed_weights_are_read(name: str) -> None:
    network = built(name).network
    parts = {"model": network.state_dict()}
    if name == "bigcodec":
        parts = {part: getattr(network, part).state_dict() for part in ("encoder", "decoder")}
    older = {part: {older_name(key): value for key, value in state.items()} for part, state in parts.items()}
    tensors = codec_wrappers.module_of(name).from_official(older)
    assert {key: value.shape for key, value in tensors.items()} == {
        key: value.shape for key, value in network.state_dict().items()
    }


def older_name(name: str) -> str:
    for number, letter in enumerate("gv"):
        name = name.replace(f"parametrizations.weight.original{number}", f"weight_{letter}")
    return name


def test_an_experiment_with_another_number_of_codebooks_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "based_on: tiny\n"
        "codecs: {v: {wrapper: vocos, weights: none, sources: {F08: {quantizers: 3}}}}\n"
        "conditions: {C8: {bonafide: {domain: codec}, spoof: {domain: codec, source: F08}}}\n"
    )
    with pytest.raises(ValueError) as error:
        list(faults(reading.load(path)))
    assert "quantizers: 3, but vocos decodes only 2, 4, 8, 16 quantizers; choose one of these" in str(error.value)
    assert "without weights, vocos is random, and each job would have another one; set `seed`" in str(error.value)
