"""Laws of the networks written here: causality, lengths, and quantizers that learn, live and nest."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Gain
from codec_wrappers.networks import audiodec, hificodec, seanet, soundstream
from codec_wrappers.networks.audiodec_vocoder import Vocoder
from codec_wrappers.networks.causal import CausalConv1d, CausalConvTranspose1d
from codec_wrappers.networks.codebooks import AveragedCodebook, TrainedCodebook, kmeans
from codec_wrappers.networks.initialization import keep_variance
from codec_wrappers.networks.quantizers import ResidualQuantizer
from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d
from codecfake.base.settings import SettingsError

DIMENSION, CODES, STAGES = 8, 16, 4
QUANTIZERS: dict[str, Any] = {
    "audiodec": lambda: audiodec.Quantizer(STAGES, CODES, DIMENSION, decay=0.8),
    "soundstream": lambda: soundstream.Quantizer(STAGES, CODES, DIMENSION, decay=0.9),
    "seanet": lambda: seanet.Quantizer(STAGES, STAGES + 2, CODES, DIMENSION, decay=0.9),
    "hificodec": lambda: hificodec.Quantizer(DIMENSION, 2, CODES),
}
AVERAGED = [name for name in QUANTIZERS if name != "hificodec"]
SMALL_AUDIODEC = {"channels": 2, "dimension": 8, "codebook_size": 16, "num_quantizers": 2, "vocoder_channels": 16}


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def trained(name: str) -> ResidualQuantizer:
    """A quantizer that has seen a few batches."""
    quantizer = QUANTIZERS[name]()
    for _ in range(5):
        quantizer(latents())
    return quantizer


def latents(batch: int = 4, frames: int = 50) -> Tensor:
    return torch.randn(batch, DIMENSION, frames)


def clustered(num_points: int = 200) -> tuple[Tensor, Tensor]:
    """Points `[200, 8]` close to four centers `[4, 8]`."""
    centers = 10 * torch.eye(4, 8)
    return centers[torch.arange(num_points) % 4] + 0.01 * torch.randn(num_points, 8), centers


# Convolutions


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(7, 1, 1), (7, 1, 9), (6, 3, 1), (1, 1, 1)])
def test_a_causal_convolution_does_not_see_the_future(kernel: int, stride: int, dilation: int) -> None:
    layer = CausalConv1d(2, 3, kernel, stride=stride, dilation=dilation)
    past = torch.randn(1, 2, 60)
    other_future = past.clone()
    other_future[..., 31:] += 1
    num_frames = 30 // stride + 1  # output i sees inputs up to i · stride
    assert torch.equal(layer(past)[..., :num_frames], layer(other_future)[..., :num_frames])
    assert not torch.equal(layer(past)[..., num_frames:], layer(other_future)[..., num_frames:])


@pytest.mark.parametrize("length", [1, 2, 59, 60, 61])
@pytest.mark.parametrize("stride", [1, 3, 5])
def test_a_causal_convolution_gives_one_output_for_each_stride_begun(length: int, stride: int) -> None:
    assert CausalConv1d(1, 1, 2 * stride, stride=stride)(torch.randn(1, 1, length)).shape[-1] == -(-length // stride)


@pytest.mark.parametrize("length", [1, 2, 7])
@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_a_causal_transposed_convolution_gives_stride_outputs_for_each_input(length: int, stride: int) -> None:
    layer = CausalConvTranspose1d(1, 1, stride)
    assert layer(torch.randn(1, 1, length)).shape[-1] == length * stride


def test_a_causal_transposed_convolution_does_not_see_the_future() -> None:
    layer = CausalConvTranspose1d(2, 3, 4)
    past = torch.randn(1, 2, 9)
    other_future = past.clone()
    other_future[..., 5:] += 1
    assert torch.equal(layer(past)[..., : 5 * 4], layer(other_future)[..., : 5 * 4])


@pytest.mark.parametrize("decoder", ["vocoder", "symmetric"])
def test_audiodec_gives_out_the_past_before_it_knows_the_future(decoder: str) -> None:
    codec = codec_wrappers.build("audiodec", {**SMALL_AUDIODEC, "decoder": decoder})
    past = torch.randn(1, 20 * 300)
    other_future = past.clone()
    other_future[:, 3001:] = 0
    with torch.no_grad():
        codes, other_codes = codec.encode(past), codec.encode(other_future)
        wav, other_wav = codec.decode(codes), codec.decode(other_codes)
    assert torch.equal(codes[..., :11], other_codes[..., :11])  # frame 10 sees samples up to 3000
    assert torch.allclose(wav[:, : 11 * 300], other_wav[:, : 11 * 300], atol=1e-6)
    assert not torch.equal(codes, other_codes)


def test_the_vocoder_undoes_the_statistics_of_its_latents() -> None:
    vocoder = Vocoder(DIMENSION, 16, (5, 4))
    latent = latents(1, 10)
    plain = vocoder(latent)
    vocoder.mean.fill_(2.0)
    vocoder.scale.fill_(3.0)
    torch.testing.assert_close(vocoder(3 * latent + 2), plain)


@pytest.mark.parametrize("length", [320, 640, 3200])
def test_hificodec_gives_back_as_many_samples_as_whole_frames(length: int) -> None:
    network = hificodec.HifiCodec(32, (2, 4, 5, 8), (3, 7), (1, 3), groups=2, codebook_size=CODES)
    latent = network.encoder(torch.randn(1, 1, length + 319))
    assert latent.shape == (1, 32, length // 320)
    assert network.generator(latent).shape == (1, 1, length)


@pytest.mark.parametrize("length", [1, 319, 320, 321, 700])
def test_seanet_covers_any_length_however_short(length: int) -> None:
    codec = codec_wrappers.build(
        "soundstream", {"form": "academicodec", "channels": 2, "dimension": 8, "codebook_size": 16}
    )
    with torch.no_grad():
        codes = codec.encode(torch.randn(1, length))
        assert codes.shape == (1, 8, -(-length // 320))
        assert codec.decode(codes).shape == (1, codes.shape[2] * 320)


@pytest.mark.parametrize("layer", [NormedConv1d(3, 4, 5), NormedConvTranspose1d(3, 4, 6, stride=3)])
def test_a_normed_convolution_starts_as_the_plain_one_and_scales_with_its_length(layer: Any) -> None:
    plain_class = torch.nn.Conv1d if isinstance(layer, NormedConv1d) else torch.nn.ConvTranspose1d
    plain = plain_class(3, 4, layer.kernel_size, stride=layer.stride)
    plain.load_state_dict({"weight": layer.weight_v, "bias": layer.bias})
    x = torch.randn(2, 3, 20)
    torch.testing.assert_close(layer(x), plain(x))
    with torch.no_grad():
        layer.weight_v.mul_(7.0)  # a direction has no length
        torch.testing.assert_close(layer(x), plain(x))
        layer.weight_g.mul_(2.0)
        layer.bias.mul_(2.0)
        torch.testing.assert_close(layer(x), 2 * plain(x))


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Conv1d(32, 32, 7),
        torch.nn.Conv1d(33, 33, 7, groups=3),
        NormedConv1d(32, 32, 7),
        NormedConvTranspose1d(32, 32, 10, stride=5),
    ],
)
def test_fresh_convolutions_keep_the_variance_of_their_input(layer: torch.nn.Module) -> None:
    keep_variance(layer)
    out = layer(torch.randn(8, layer.in_channels, 500))
    assert 0.8 < out[..., 20:-20].var().item() < 1.25


# Quantizers


@pytest.mark.parametrize("name", QUANTIZERS)
def test_each_stage_leaves_less_than_the_one_before(name: str) -> None:
    quantizer = trained(name)
    latent = latents()
    codes = quantizer.encode(latent)
    groups = len(quantizer.stages()[0])
    errors = [
        (latent - quantizer.decode(codes[:, :number])).square().mean().item()
        for number in range(groups, codes.shape[1] + 1, groups)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < latent.square().mean().item()


@pytest.mark.parametrize("name", QUANTIZERS)
def test_training_sees_the_latent_that_its_codes_decode_to(name: str) -> None:
    quantizer = trained(name).eval()
    latent = latents()
    quantized = quantizer(latent)
    assert torch.equal(quantized.codes, quantizer.encode(latent))
    torch.testing.assert_close(quantized.latent, quantizer.decode(quantized.codes))


@pytest.mark.parametrize("name", QUANTIZERS)
def test_the_gradient_passes_straight_through(name: str) -> None:
    quantizer = trained(name).eval()
    latent = latents().requires_grad_()
    weights = torch.randn(4, DIMENSION, 50)
    (quantizer(latent).latent * weights).sum().backward()
    torch.testing.assert_close(latent.grad, weights)


@pytest.mark.parametrize("name", QUANTIZERS)
def test_the_loss_draws_the_latent_to_its_codes_through_every_stage(name: str) -> None:
    quantizer = trained(name).eval()
    latent = latents().requires_grad_()
    quantizer(latent).loss.backward()
    moved = latent.detach() - 0.1 * latent.grad
    assert quantizer(moved).loss < quantizer(latent).loss


@pytest.mark.parametrize("name", QUANTIZERS)
def test_codebooks_change_in_training_and_never_in_evaluation_or_encoding(name: str) -> None:
    quantizer = trained(name)
    before = {key: value.clone() for key, value in quantizer.state_dict().items()}
    quantizer.encode(latents())
    quantizer.eval()(latents())
    assert all(torch.equal(value, before[key]) for key, value in quantizer.state_dict().items())
    quantized = quantizer.train()(latents())
    if name == "hificodec":
        quantized.loss.backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in quantizer.parameters())
    else:
        assert not all(torch.equal(value, before[key]) for key, value in quantizer.state_dict().items())


@pytest.mark.parametrize("name", QUANTIZERS)
def test_a_new_codebook_starts_from_the_clusters_of_its_first_batch(name: str) -> None:
    quantizer = QUANTIZERS[name]()
    latent = 100 + latents()
    quantized = quantizer(latent)
    assert (latent - quantized.latent).abs().mean() < 1  # torch's fresh codebooks are a hundred away


@pytest.mark.parametrize("name", QUANTIZERS)
def test_a_loaded_codebook_is_not_started_again(name: str) -> None:
    taught = trained(name)
    quantizer = QUANTIZERS[name]()
    quantizer.load_state_dict(taught.state_dict())
    vectors = quantizer.stages()[0][0].vectors.clone()
    quantizer(latents())
    assert (quantizer.stages()[0][0].vectors - vectors).abs().max() < 1


def test_group_residual_codes_are_ordered_by_stage_then_by_group() -> None:
    quantizer = trained("hificodec")
    latent = latents()
    codes = quantizer.encode(latent)
    first, _ = latent.chunk(2, dim=1)
    stage_one = quantizer.decode(codes[:, :2])
    assert torch.equal(codes[:, 0].flatten(), quantizer.stages()[0][0].nearest(rows(first)))
    left_over = (latent - stage_one).chunk(2, dim=1)[1]
    assert torch.equal(codes[:, 3].flatten(), quantizer.stages()[1][1].nearest(rows(left_over)))


@pytest.mark.parametrize(("name", "number"), [("hificodec", 3), ("hificodec", 6), ("audiodec", 5), ("audiodec", 0)])
def test_codebooks_that_do_not_nest_are_refused(name: str, number: int) -> None:
    with pytest.raises(ValueError, match=f"cannot decode {number} codebooks: there are 4"):
        QUANTIZERS[name]().decode(torch.zeros(1, number, 3, dtype=torch.long))


@pytest.mark.parametrize("name", AVERAGED)
def test_averaged_codebooks_settle_on_the_means_of_the_inputs_that_choose_them(name: str) -> None:
    points, centers = clustered()
    quantizer = QUANTIZERS[name]()
    for _ in range(60):
        quantizer(points.T[None])
    codes = quantizer.encode(centers.T[None])[:, :1]
    torch.testing.assert_close(quantizer.decode(codes)[0].T, centers, atol=0.05, rtol=0)


@pytest.mark.parametrize("kind", [AveragedCodebook, TrainedCodebook])
def test_a_code_that_nothing_chooses_gets_an_input_for_a_vector(kind: Any) -> None:
    vectors = torch.cat([torch.zeros(1, 2), torch.full((1, 2), 1000.0)])
    counts = torch.tensor([100.0, 100.0])
    sums = {"sums": vectors * 100} if kind is AveragedCodebook else {}
    book = kind(vectors, counts, 0.5, **sums)
    for _ in range(20):
        inputs = torch.randn(100, 2)
        book.learn(inputs, book.nearest(inputs))
    assert book.vectors.abs().max() < 10
    assert len(book.nearest(torch.randn(100, 2)).unique()) == 2


def test_kmeans_finds_clusters_that_lie_apart() -> None:
    points, centers = clustered()
    centroids, sizes = kmeans(points, 16)  # more than there are, since a random start may miss one
    assert sizes.sum() == len(points)
    assert torch.cdist(centers, centroids).min(dim=1).values.max() < 0.1


def test_kmeans_takes_fewer_inputs_than_clusters() -> None:
    centroids, sizes = kmeans(torch.randn(3, 2), 16)
    assert centroids.shape == (16, 2) and torch.isfinite(centroids).all()
    assert sizes.sum() == 3


def rows(latent: Tensor) -> Tensor:
    return latent.transpose(1, 2).flatten(0, 1)


# Published checkpoints


def test_a_published_soundstream_comes_without_its_wrapping_and_its_discriminators() -> None:
    small = {"form": "academicodec", "channels": 2, "dimension": 8, "codebook_size": 16}
    state = codec_wrappers.build("soundstream", small).network.state_dict()
    published = {f"module.{name}": tensor for name, tensor in state.items()}
    published["wave_discriminators.0.weight"] = torch.zeros(1)
    assert set(codec_wrappers.module_of("soundstream").from_official({"model": published})) == set(state)


def test_a_published_soundstream_codebook_goes_on_learning_from_where_it_is() -> None:
    codec = codec_wrappers.build("soundstream", {"channels": 2, "dimension": 8, "codebook_size": 16})
    published = dict(codec.network.state_dict())
    published["quantizer.code_relative_frequency"] = torch.full((8, 16), 1 / 16)
    published["quantizer.running_mean"] = torch.full((8, 16, 8), 1e6)  # whatever it means there
    codec.network.load_state_dict(codec_wrappers.module_of("soundstream").from_official({"model": published}))
    book = codec.quantizer.stages()[0][0]
    inputs = 0.01 * torch.randn(50, 8) + book.vectors[0]
    before = book.vectors.clone()
    book.learn(inputs, torch.zeros(50, dtype=torch.long))
    torch.testing.assert_close(book.vectors[1:], before[1:])


# Settings


def test_peak_normalization_is_left_to_the_workflow() -> None:
    small = {"channels": 32, "codebook_size": 16}
    assert codec_wrappers.build("academicodec", small).gain is Gain.NONE
    assert codec_wrappers.build("academicodec", {**small, "peak_normalize": True}).gain is Gain.PEAK_095


@pytest.mark.parametrize(
    ("name", "model", "kbps"),
    [
        ("audiodec", SMALL_AUDIODEC | {"num_quantizers": 8, "codebook_size": 1024}, 6.4),
        ("academicodec", {"channels": 32}, 3.0),
        ("academicodec", {"channels": 32, "sample_rate": 16000}, 2.0),
        ("soundstream", {"channels": 2, "dimension": 8}, 4.0),
        ("soundstream", {"channels": 2, "dimension": 8, "form": "academicodec"}, 4.0),
    ],
)
def test_bit_rates_are_the_published_ones(name: str, model: dict[str, Any], kbps: float) -> None:
    codec = codec_wrappers.build(name, model)
    assert codec.bitrate_kbps(codec.num_quantizers) == pytest.approx(kbps)


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("audiodec", {"decoder": "hifigan"}, "unknown decoder 'hifigan'; choose from vocoder, symmetric"),
        ("audiodec", {"strides": [4, 5]}, "channel_ratios: 4 ratios for 2 strides; give one for each stride"),
        ("academicodec", {"channels": 40}, "40 channels cannot be halved 4 times .* multiple of 16"),
        ("soundstream", {"form": "lyra"}, "unknown form 'lyra'; choose from kaiidams, academicodec"),
        ("soundstream", {"num_codebooks": 24}, "kaiidams has num_quantizers codebooks"),
        ("soundstream", {"remainder": "keep"}, "unknown remainder 'keep'; choose from drop, pad"),
        ("soundstream", {"form": "academicodec", "remainder": "pad"}, "leaves nothing out"),
        ("academicodec", {"remainder": "keep"}, "unknown remainder 'keep'; choose from drop, pad"),
        ("soundstream", {"form": "academicodec", "num_quantizers": 25}, "num_quantizers: 25 of 24 codebooks"),
    ],
)
def test_settings_that_make_no_codec_are_refused(name: str, model: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        codec_wrappers.build(name, model)


def test_a_start_for_our_layers_is_not_given_to_those_of_a_package() -> None:
    with pytest.warns(FutureWarning):
        layer = torch.nn.utils.weight_norm(torch.nn.Conv1d(2, 2, 3))
    with pytest.raises(TypeError, match="use keep_package_variance"):
        keep_variance(layer)
