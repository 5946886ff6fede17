"""Laws that every codec wrapper keeps, on tiny architectures with fresh weights."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_codecs import SMALL, TRAINABLE
from torch import Tensor

import codec_wrappers
from codec_wrappers import CodecError
from codec_wrappers.codec import Codec, TrainableCodec
from codec_wrappers.networks.ema_codebooks import follow, random_prefix
from codec_wrappers.weights.loading import WeightsError, load_strict, save
from codecfake.base.settings import SettingsError

NUM_FRAMES = 24
FEWER_SAMPLES = {"dac": 8, "soundstream": 50}  # that come back at least, see the wrappers
CODEBOOKS_PER_STAGE = {"academicodec": 2}  # each of a group of channels: they decode together or not at all


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def build(name: str) -> Codec:
    return codec_wrappers.build(name, SMALL[name])


@cache
def trained(name: str) -> Codec:
    """The codec that `newly_trained` gives, for tests that leave it as it is."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return newly_trained(name)


def newly_trained(name: str) -> Codec:
    """A codec whose codebooks are filled: those of moving averages are zeros until their first batch."""
    codec = build(name)
    if isinstance(codec, TrainableCodec):
        for _ in range(2):
            codec.reconstruct(speech(codec, 8))
        codec.network.eval()
    return codec


def speech(codec: Codec, batch: int, num_samples: int | None = None) -> Tensor:
    """Something like speech at the codec's rate, `[batch, T]`: harmonics of a wandering pitch, and noise."""
    num_samples = num_samples or NUM_FRAMES * codec.hop_length
    pitch = 120 + 30 * torch.rand(batch, 1) + torch.randn(batch, num_samples).cumsum(1) * 0.02
    phase = (2 * torch.pi * pitch / (codec.sample_rate or 16_000)).cumsum(1)
    voiced = torch.stack([torch.sin(n * phase) / n for n in range(1, 9)]).sum(0)
    return 0.1 * voiced + 0.01 * torch.randn(batch, num_samples)


@torch.no_grad()
def round_trip(codec: Codec, wav: Tensor) -> tuple[Tensor, Tensor]:
    codes = codec.encode(wav)
    return codes, codec.decode(codes)


@pytest.mark.parametrize("name", SMALL)
def test_codes_are_whole_numbers_within_their_bits_one_per_quantizer_and_frame(name: str) -> None:
    codec = trained(name)
    codes, _ = round_trip(codec, speech(codec, 3))
    assert codes.dtype == torch.int64
    assert codes.shape[:2] == (3, codec.num_quantizers)
    assert NUM_FRAMES <= codes.shape[2] <= NUM_FRAMES + 1
    if name != "passthrough":  # whose codes are signed
        assert codes.min() >= 0 and codes.max() < 2**codec.bits_per_code
        assert len(codes.unique()) > 1


@pytest.mark.parametrize("name", SMALL)
def test_decoding_covers_the_input_with_any_number_of_leading_codebooks(name: str) -> None:
    codec = trained(name)
    wav = speech(codec, 2)
    codes, _ = round_trip(codec, wav)
    for quantizers in (CODEBOOKS_PER_STAGE.get(name, 1), codec.num_quantizers):
        with torch.no_grad():
            decoded = codec.decode(codes[:, :quantizers])
        assert decoded.shape[0] == 2
        assert decoded.shape[1] >= wav.shape[1] - FEWER_SAMPLES.get(name, 0)
        assert torch.isfinite(decoded).all()


@pytest.mark.parametrize("name", ["encodec", "speechtokenizer", "funcodec"])
def test_codecs_that_pad_inside_take_any_length(name: str) -> None:
    codec = trained(name)
    assert codec.any_length
    wav = speech(codec, 1, 7 * codec.hop_length + 13)
    _, decoded = round_trip(codec, wav)
    assert decoded.shape[1] >= wav.shape[1]


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_of_equal_lengths_gives_what_its_rows_give_alone(name: str) -> None:
    codec = trained(name)
    wav = speech(codec, 3)
    codes, decoded = round_trip(codec, wav)
    atol = 1e-5 * max(1.0, decoded.abs().max().item())
    for row in range(3):
        codes_alone, decoded_alone = round_trip(codec, wav[row : row + 1])
        assert torch.equal(codes_alone[0], codes[row])
        torch.testing.assert_close(decoded_alone[0], decoded[row], atol=atol, rtol=0)


@pytest.mark.parametrize("name", SMALL)
def test_encoding_twice_gives_the_same_codes(name: str) -> None:
    codec = trained(name)
    wav = speech(codec, 1)
    first, second = round_trip(codec, wav)[0], round_trip(codec, wav)[0]
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_builds_the_same_codec(name: str) -> None:
    torch.manual_seed(1)
    first = newly_trained(name)
    wav = speech(first, 1)
    torch.manual_seed(1)
    second = newly_trained(name)
    assert torch.equal(round_trip(first, wav)[0], round_trip(second, wav)[0])


@pytest.mark.parametrize("name", TRAINABLE)
def test_saved_weights_make_the_same_codec_again(name: str, tmp_path: Path) -> None:
    codec = trained(name)
    wav = speech(codec, 1)
    path = tmp_path / "weights.safetensors"
    save(network(codec), path)
    again = codec_wrappers.load(name, SMALL[name], path)
    for output, expected in zip(round_trip(again, wav), round_trip(codec, wav), strict=True):
        assert torch.equal(output, expected)


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_weights_file_that_lacks_a_tensor_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    path = weights_file(name, tmp_path, drop=1)
    missing = sorted(network(build(name)).state_dict())[0]
    with pytest.raises(WeightsError, match=f"{path}: 1 missing .*{missing}"):
        codec_wrappers.load(name, SMALL[name], path)


@pytest.mark.parametrize("name", TRAINABLE)
def test_training_lowers_the_error_and_moves_the_encoder(name: str) -> None:
    codec = build(name)
    net = network(codec)
    wav = speech(codec, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    before = {key: value.clone() for key, value in net.named_parameters() if "encoder" in key}
    errors = []
    for _ in range(6):
        optimizer.zero_grad()
        result = codec.reconstruct(wav)
        assert result.quantizer_loss.shape == () and result.quantizer_loss >= 0
        samples = min(wav.shape[1], result.wav.shape[1])
        error = (result.wav[:, :samples] - wav[:, :samples]).abs().mean()
        (error + result.quantizer_loss).backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < errors[0]
    assert before
    after = dict(net.named_parameters())
    assert all(not torch.equal(value, after[key]) for key, value in before.items())


@pytest.mark.parametrize("name", SMALL)
def test_an_unknown_model_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'color'; known settings"):
        codec_wrappers.build(name, {**SMALL[name], "color": 1})


@pytest.mark.parametrize("name", TRAINABLE)
def test_loading_without_weights_is_refused(name: str) -> None:
    with pytest.raises(WeightsError, match="no weights"):
        codec_wrappers.load(name, SMALL[name], None)


def test_an_unknown_codec_is_refused_with_the_known_names() -> None:
    with pytest.raises(CodecError, match="unknown codec 'mp3'; choose from passthrough, .*my_codec.py:build"):
        codec_wrappers.build("mp3", {})
    with pytest.raises(CodecError, match="unknown codec 'encodc'; did you mean 'encodec'?"):
        codec_wrappers.entry("encodc")


def test_passthrough_gives_back_every_bit() -> None:
    codec = build("passthrough")
    wav = torch.cat([torch.randn(2, 999), torch.tensor([[0.0], [-0.0]]), torch.full((2, 1), 1e-42)], dim=1)
    assert torch.equal(round_trip(codec, wav)[1].view(torch.int32), wav.view(torch.int32))


def test_passthrough_refuses_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="passthrough has no weights"):
        codec_wrappers.load("passthrough", {}, tmp_path / "weights.safetensors")


def test_lyra_cannot_be_built_without_its_published_models(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be built with fresh weights"):
        codec_wrappers.build("lyra", {})
    with pytest.raises(WeightsError, match="soundstream_encoder.tflite: cannot be read"):
        codec_wrappers.load("lyra", {}, tmp_path)
    with pytest.raises(SettingsError, match="unknown setting 'bits'"):
        codec_wrappers.load("lyra", {"bits": 4}, tmp_path)


def test_lyra_forgets_one_utterance_before_the_next(shared: Path) -> None:
    codec = codec_wrappers.load("lyra", {}, shared / "weights" / "lyra")
    wav = speech(codec, 2)
    codes, decoded = round_trip(codec, wav)
    codes_alone, decoded_alone = round_trip(codec, wav[1:])
    assert torch.equal(codes_alone[0], codes[1])
    assert torch.equal(decoded_alone[0], decoded[1])


def test_funcodec_of_the_spectrum_keeps_the_length_within_a_frame() -> None:
    small = {**SMALL["funcodec"], "architecture": "freqcodec_gr1"}
    codec = codec_wrappers.build("funcodec", small)
    wav = speech(codec, 2)
    codec.reconstruct(wav)
    network(codec).eval()
    codes, decoded = round_trip(codec, wav)
    assert codes.shape == (2, 4, NUM_FRAMES + 1)
    assert wav.shape[1] <= decoded.shape[1] <= wav.shape[1] + codec.hop_length


def test_an_unknown_funcodec_architecture_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown architecture 'ds160'"):
        codec_wrappers.build("funcodec", {"architecture": "ds160"})


def test_a_dac_sample_rate_that_is_not_published_is_refused() -> None:
    with pytest.raises(SettingsError, match="sample_rate: 48000 is none .*44100, 24000, 16000"):
        codec_wrappers.build("dac", {"sample_rate": 48_000})


@pytest.mark.parametrize(
    ("name", "model", "quantizers", "kbps"),
    [
        ("encodec", {"n_filters": 2}, 8, 6.0),
        ("speechtokenizer", {"n_filters": 2, "dimension": 8, "semantic_dimension": 8}, 8, 4.0),
        ("funcodec", {"n_filters": 2}, 12, 3.0),
        ("funcodec", {"n_filters": 2, "architecture": "ds320"}, 32, 16.0),
        ("dac", {"encoder_dim": 2, "decoder_dim": 32}, 9, 7.751953125),
        ("dac", {"encoder_dim": 2, "decoder_dim": 32, "sample_rate": 24_000}, 32, 24.0),
        ("dac", {"encoder_dim": 2, "decoder_dim": 32, "sample_rate": 16_000}, 12, 6.0),
    ],
)
def test_bit_rates_are_the_published_ones(name: str, model: dict[str, Any], quantizers: int, kbps: float) -> None:
    codec = codec_wrappers.build(name, model)
    assert quantizers <= codec.num_quantizers
    assert codec.bitrate_kbps(quantizers) == kbps


@pytest.mark.parametrize("name", ["encodec", "speechtokenizer", "funcodec"])
def test_shorter_strides_give_more_frames_and_bits(name: str) -> None:
    codec = codec_wrappers.build(name, {**SMALL[name], "strides": [2, 4, 5, 4]})
    assert codec.hop_length == 160
    wav = speech(codec, 2)
    codec.reconstruct(wav)
    network(codec).eval()
    codes, decoded = round_trip(codec, wav)
    assert codes.shape == (2, codec.num_quantizers, NUM_FRAMES)
    assert decoded.shape == wav.shape
    assert codec.bitrate_kbps(1) == 2 * build(name).bitrate_kbps(1)


def test_strides_of_a_spectrum_are_refused() -> None:
    with pytest.raises(SettingsError, match="strides: freqcodec_gr1 codes a spectrum, not the waveform; remove"):
        codec_wrappers.build("funcodec", {"architecture": "freqcodec_gr1", "strides": [2, 2]})


@pytest.mark.parametrize(("most", "expected"), [(1, {1}), (8, {1, 2, 4, 8}), (12, {1, 2, 4, 8, 12})])
def test_training_draws_every_power_of_two_and_all_codebooks(most: int, expected: set[int]) -> None:
    books = [SimpleNamespace(cluster_size=torch.ones(4)) for _ in range(most)]
    assert {len(random_prefix(books, 1.0)) for _ in range(200)} == expected


def test_a_share_of_training_steps_draws_a_number_of_codebooks() -> None:
    books = [SimpleNamespace(cluster_size=torch.ones(4)) for _ in range(8)]
    torch.manual_seed(1)
    numbers = [len(random_prefix(books, 0.5)) for _ in range(400)]
    assert 0.53 < numbers.count(8) / len(numbers) < 0.72  # a half, and a quarter of the other half
    assert {len(random_prefix(books, 0.0)) for _ in range(50)} == {8}


@pytest.mark.parametrize("name", ["encodec", "funcodec"])
@pytest.mark.parametrize(("share", "expected"), [(0.0, {4}), (1.0, {1, 2, 4})])
def test_quantizer_dropout_is_the_share_of_training_steps_with_fewer_codebooks(
    name: str, share: float, expected: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = codec_wrappers.build(name, {**SMALL[name], "num_quantizers": 4, "quantizer_dropout": share})
    wav = speech(codec, 2)
    codec.reconstruct(wav)  # starts the codebooks
    numbers = set()
    module = f"codec_wrappers.{name}.follow"
    monkeypatch.setattr(module, lambda latent, books, learn: numbers.add(len(books)) or follow(latent, books, learn))
    for _ in range(30):
        codec.reconstruct(wav)
    assert numbers == expected


def test_new_codebooks_all_take_part_in_a_training_step() -> None:
    books = [SimpleNamespace(cluster_size=torch.zeros(4)) for _ in range(8)]
    assert {len(random_prefix(books, 1.0)) for _ in range(20)} == {8}


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_training_step_without_quantizer_leaves_the_codebooks_alone(name: str) -> None:
    codec = build(name)
    before = {key: tensor.clone() for key, tensor in network(codec).state_dict().items()}
    result = codec.reconstruct(speech(codec, 8), quantize=False)
    assert result.quantizer_loss.item() == 0.0
    assert result.wav.requires_grad
    for key, tensor in network(codec).state_dict().items():
        assert torch.equal(tensor, before[key]), key


@pytest.mark.parametrize("name", ["encodec", "speechtokenizer"])
def test_a_fresh_network_without_normalization_hears_its_input(name: str) -> None:
    codec = build(name)
    with torch.no_grad():
        latent = network(codec).encoder(speech(codec, 1)[:, None])  # type: ignore[operator]
    over_time, over_channels = latent.std(dim=2).mean(), latent.mean(dim=2).std()
    assert over_time > 0.2 * over_channels


def test_weights_that_are_unexpected_misshapen_or_no_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save(torch.nn.Linear(3, 2), path)
    with pytest.raises(WeightsError, match=r"1 unexpected tensor.*bias"):
        load_strict(torch.nn.Linear(3, 2, bias=False), path)
    with pytest.raises(WeightsError, match=r"weight \(\[2, 3\] in the file, \[2, 4\] in the network\)"):
        load_strict(torch.nn.Linear(4, 2), path)
    path.write_text("no tensors")
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        load_strict(torch.nn.Linear(3, 2), path)


def test_tensors_that_share_memory_are_saved_under_each_name(tmp_path: Path) -> None:
    shared_layer = torch.nn.Linear(2, 2)
    path = tmp_path / "weights.safetensors"
    save(torch.nn.Sequential(shared_layer, shared_layer), path)
    assert sorted(load_file(path)) == ["0.bias", "0.weight", "1.bias", "1.weight"]


def network(codec: Codec) -> torch.nn.Module:
    assert codec.network is not None
    return codec.network


def weights_file(name: str, folder: Path, drop: int) -> Path:
    """The weights of a small codec without its first `drop` tensors."""
    tensors = network(build(name)).state_dict()
    rest = {key: tensors[key].clone().contiguous() for key in sorted(tensors)[drop:]}
    path = folder / "weights.safetensors"
    save_file(rest, path)
    return path


def test_fresh_dac_stages_project_on_a_subspace_and_back() -> None:
    torch.manual_seed(0)
    latent = torch.randn(1, 96, 5)
    for stage in codec_wrappers.build("dac", {**SMALL["dac"], "latent_dim": 96}).network.quantizer.quantizers:
        once = stage.out_proj(stage.in_proj(latent))
        assert torch.allclose(stage.out_proj(stage.in_proj(once)), once, atol=1e-5)
        assert (latent - once).norm() < latent.norm()
