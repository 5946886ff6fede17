"""AudioDec's lookahead: without it, no code depends on the samples that it decodes into."""

import pytest
import torch
from small_codecs import SMALL

import codec_wrappers
from codec_wrappers.codec import Codec
from codecfake.base.settings import SettingsError

HOP = 300


def audiodec(lookahead: int) -> Codec:
    torch.manual_seed(0)
    return codec_wrappers.build("audiodec", {**SMALL["audiodec"], "decoder": "symmetric", "lookahead": lookahead})


def latent(codec: Codec, wav: torch.Tensor) -> torch.Tensor:
    return codec.to_latent(wav)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("lookahead", "depends"), [(0, False), (HOP - 1, True)])
def test_a_frame_depends_on_the_last_sample_that_it_decodes_into_only_with_a_lookahead(
    lookahead: int, depends: bool
) -> None:
    wav = torch.randn(1, 4 * HOP, generator=torch.Generator().manual_seed(1))
    other = wav.clone()
    other[0, 2 * HOP - 1] += 1.0  # the last sample of the second frame
    codec = audiodec(lookahead)
    with torch.inference_mode():
        frames = [latent(codec, each)[0, :, 1] for each in (wav, other)]
    assert torch.equal(*frames) is not depends


def test_the_codes_are_those_of_the_wav_that_begins_later() -> None:
    wav = torch.randn(1, 5 * HOP, generator=torch.Generator().manual_seed(1))
    moved = torch.cat([wav[:, 120:], torch.zeros(1, 120)], dim=1)
    with torch.inference_mode():
        assert torch.equal(audiodec(120).encode(wav), audiodec(0).encode(moved))


def test_a_negative_lookahead_is_refused() -> None:
    with pytest.raises(SettingsError, match="lookahead: -1 is out of range; it must be at least 0"):
        audiodec(-1)
