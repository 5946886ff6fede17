"""Discriminators: at full size the published networks, at any size usable on short segments."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.training.adversarial import combine_losses, discriminator_losses
from codec_wrappers.training.discriminators import DISCRIMINATORS, Discriminator, build
from codecfake.base.settings import SettingsError

SMALL: dict[str, dict[str, Any]] = {
    "periods": {"channels": 1},
    "scales": {"channels": 4},
    "waves": {"channels": 4, "most": 16},
    "spectrum": {"channels": 2},
    "bands": {"channels": 2},
    "stft": {"filters": 2},
    "pooled_stft": {"filters": 2},
}
COUNTS = {"periods": 5, "scales": 3, "waves": 3, "spectrum": 1, "bands": 3, "stft": 5, "pooled_stft": 5}


def discriminator(name: str, **changes: Any) -> Discriminator:
    torch.manual_seed(0)
    network = build({name: SMALL[name] | changes})[name]
    assert isinstance(network, Discriminator)
    return network.eval()


def noise(samples: int, rows: int = 2) -> Tensor:
    return 0.1 * torch.randn(rows, samples, generator=torch.Generator().manual_seed(1))


def give(parameters: Iterable[Tensor], to: nn.Module) -> None:
    """Parameters in the same order: of each convolution, the bias, then the weight's parts."""
    with torch.no_grad():
        for ours, theirs in zip(to.parameters(), parameters, strict=True):
            ours.copy_(theirs)


def test_every_kind_has_a_small_form_here() -> None:
    assert set(SMALL) == set(DISCRIMINATORS)


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("samples", [800, 5120])
def test_each_discriminator_gives_logits_and_feature_maps_of_short_and_long_wavs(name: str, samples: int) -> None:
    judgments = discriminator(name)(noise(samples))
    assert len(judgments) == COUNTS[name]
    for logits, maps in judgments:
        assert logits.shape[0] == 2
        assert logits.numel() > 0
        assert len(maps) > 4
        assert all(features.shape[0] == 2 for features in maps)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_rows_of_a_batch_are_judged_apart(name: str) -> None:
    network, wav = discriminator(name), noise(2000)
    for (of_both, _), (of_one, _) in zip(network(wav), network(wav[1:]), strict=True):
        torch.testing.assert_close(of_both[1:], of_one)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_the_wav_can_learn_from_every_discriminator_of_a_kind(name: str) -> None:
    wav = noise(4000).requires_grad_()
    for logits, _ in discriminator(name)(wav):
        (gradient,) = torch.autograd.grad(logits.sum(), wav, retain_graph=True)
        assert (gradient.abs().sum(dim=1) > 0).all()


@pytest.mark.long
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_every_kind_learns_to_tell_noise_from_a_tone(name: str) -> None:
    network = discriminator(name, peak=0.8).train()
    tone = torch.sin(0.3 * torch.arange(3000)).expand(2, -1)
    updates, losses = torch.optim.Adam(network.parameters(), 0.003), []
    for _ in range(8):
        loss = combine_losses("mean", discriminator_losses("hinge", network(tone), network(noise(3000))))
        updates.zero_grad()
        loss.backward()
        updates.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_with_a_peak_neither_level_nor_offset_is_judged(name: str) -> None:
    network, wav = discriminator(name, peak=0.8), noise(3000)
    for (as_is, _), (changed, _) in zip(network(wav), network(5 * wav + 0.3), strict=True):
        torch.testing.assert_close(as_is, changed, rtol=1e-3, atol=1e-5)


def test_periods_are_the_multi_period_discriminator_of_hifigan() -> None:
    from speechtokenizer.discriminators import DiscriminatorP

    ours, theirs = discriminator("periods", periods=[3], channels=32), DiscriminatorP(3)
    give(theirs.parameters(), ours)
    assert_same(ours(noise(1000)), [theirs(noise(1000)[:, None])])


def test_scales_are_the_multi_scale_discriminator_of_hifigan() -> None:
    from speechtokenizer.discriminators import DiscriminatorS

    ours = discriminator("scales", scales=2, channels=128)
    theirs = nn.ModuleList([DiscriminatorS(use_spectral_norm=True), DiscriminatorS()]).eval()
    give(theirs.parameters(), ours)
    give_singular_vectors(theirs[0], ours)
    wav = noise(2000)[:, None]
    assert_same(ours(noise(2000)), [theirs[0](wav), theirs[1](F.avg_pool1d(wav, 4, 2, padding=2))])


def test_periods_and_bands_are_the_discriminators_of_dac() -> None:
    from dac.model.discriminator import MPD, MRD
    from dac.model.discriminator import Discriminator as Dac

    wav = noise(5001)  # no multiple of the period: DAC adds a whole one to those
    cases = (("periods", {"periods": [2], "channels": 32, "match_logits": False}, MPD(2)),
             ("bands", {"windows": [512], "channels": 32}, MRD(512, sample_rate=16_000)))  # fmt: skip
    for name, changes, theirs in cases:
        ours = discriminator(name, peak=0.8, **changes)
        give(theirs.parameters(), ours)
        *maps, logits = theirs(Dac(periods=[], fft_sizes=[]).preprocess(wav[:, None]))
        assert_same(ours(wav), [(logits, maps)])


def test_pooled_stft_gives_the_neighborhood_averages_of_the_logits_of_stft() -> None:
    plain, pooled = discriminator("stft", windows=[256, 64]), discriminator("pooled_stft", windows=[256, 64])
    give(plain.parameters(), pooled)
    for (logits, maps), (averages, same) in zip(plain(noise(900)), pooled(noise(900)), strict=True):
        torch.testing.assert_close(F.avg_pool2d(logits, 4, 2, padding=1, count_include_pad=False), averages)
        torch.testing.assert_close(maps, same)


def test_the_stft_of_soundstream_sees_64_times_fewer_frequencies_and_8_times_fewer_frames() -> None:
    (logits, maps), *_ = discriminator("spectrum")(noise(64 * 256))
    assert maps[0].shape == (2, 2, 65, 512)
    assert maps[-1].shape == (2, 32, 8, 8)
    assert logits.shape == (2, 1, 8, 1)


def test_unknown_discriminators_and_settings_are_refused_and_the_known_ones_named() -> None:
    with pytest.raises(SettingsError, match="unknown discriminator 'critic'; choose from periods, scales"):
        build({"critic": {}})
    with pytest.raises(SettingsError, match="unknown setting 'width'; known settings: channels"):
        build({"periods": {"width": 1}})


def test_a_discriminator_without_settings_is_left_out() -> None:
    assert list(build({"stft": SMALL["stft"], "periods": None})) == ["stft"]


def assert_same(ours: list[tuple[Tensor, list[Tensor]]], theirs: list[tuple[Tensor, list[Tensor]]]) -> None:
    for (logits, maps), (their_logits, their_maps) in zip(ours, theirs, strict=True):
        torch.testing.assert_close(logits.flatten(1), their_logits.flatten(1), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(maps, list(their_maps), rtol=1e-4, atol=1e-6)


def give_singular_vectors(theirs: nn.Module, ours: nn.Module) -> None:
    """The state of a spectral norm, under its names in torch's older and newer form."""
    buffers, our_names = dict(theirs.named_buffers()), [name for name, _ in ours.named_buffers()]
    for side in ("u", "v"):
        vectors = [vector for name, vector in buffers.items() if name.endswith(f"weight_{side}")]
        names = [name for name in our_names if name.endswith(f"_{side}")]
        for name, vector in zip(names, vectors, strict=True):
            ours.get_buffer(name).copy_(vector)
