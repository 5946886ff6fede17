"""Long recordings: windows that are cut and in_windows again give what the whole gives, and never more at a time."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Codec, Gain, TrainableCodec
from codec_wrappers.resynthesis.shard import resynthesize
from codec_wrappers.resynthesis.windows import Window, cut
from codec_wrappers.resynthesis.windows import in_windows as apply_in_windows

WINDOW_DURATION = 0.8  # seconds
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, model) for name, model in SMALL.items()},
    "soundstream_academicodec": (
        "soundstream",
        {**SMALL["soundstream"], "form": "academicodec", "num_codebooks": 4},
    ),
    "audiodec_symmetric": ("audiodec", {**SMALL["audiodec"], "decoder": "symmetric"}),
    "freqcodec": ("funcodec", {**SMALL["funcodec"], "architecture": "freqcodec_gr1"}),
}
NORMALIZED_OVER_TIME = {
    "funcodec": 8.0,
    "academicodec": 12.0,
    "freqcodec": 4.0,
}  # dB
EXACT = [name for name in FORMS if name not in NORMALIZED_OVER_TIME]
FLOAT_NOISE_DB = 110.0  # or better; a whole frame of 100 that is another codebook's would leave 20 dB


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("hop_length", [1, 7, 320])
@pytest.mark.parametrize("longest", [1, 640, 1000])
@pytest.mark.parametrize("num_samples", [1, 319, 320, 321, 640, 641, 999, 1000, 1001, 1999, 2000, 2001, 12_345])
def test_windows_cover_every_sample_and_keep_at_most_the_longest(
    num_samples: int, longest: int, hop_length: int
) -> None:
    windows = cut(num_samples, longest, 500, hop_length)
    assert windows[0].first == windows[0].start == 0
    assert windows[-1].last == windows[-1].end == num_samples
    for window in windows:
        assert window.start % hop_length == window.first % hop_length == 0
        assert window.start <= window.first < window.last <= window.end
    for one, following in pairwise(windows):
        assert following.first - one.first <= max(longest, hop_length)
        assert one.last == min(following.first + hop_length, num_samples)
        assert following.first - following.start >= min(500, following.first)
        assert one.end - one.last >= min(500, num_samples - one.last) - hop_length


def test_what_is_no_longer_than_a_window_is_not_cut() -> None:
    assert cut(1000, 1000, 100, 10) == [Window(0, 1000, 0, 1000)]
    assert len(cut(1001, 1000, 100, 10)) == 2


def test_windows_are_equal_to_within_a_frame() -> None:
    lengths = [following.first - one.first for one, following in pairwise(cut(10_010, 1000, 100, 10))]
    assert max(lengths) - min(lengths) <= 10


def test_windows_of_what_changes_nothing_are_joined_to_the_bit() -> None:
    wav = torch.randn(2, 1003)
    twice, same = apply_in_windows(lambda part: [2 * part, part], wav, cut(1003, 100, 30, 10))
    assert torch.equal(twice, 2 * wav)
    assert torch.equal(same, wav)


def test_a_seam_passes_from_one_window_to_the_next_in_a_straight_line() -> None:
    numbers = iter([0.0, 1.0])
    windows = cut(20, 10, 5, 5)
    (whole,) = apply_in_windows(lambda part: [torch.full_like(part, next(numbers))], torch.zeros(1, 20), windows)
    expected = [0.0] * 10 + [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6] + [1.0] * 5
    torch.testing.assert_close(whole[0], torch.tensor(expected))


@pytest.mark.parametrize("name", EXACT)
def test_a_recording_in_windows_is_the_recording_whole(name: str) -> None:
    codec = build(name)
    wav = speech(codec, 5 * window_samples(codec) // 2 + 1)
    assert snr_db(in_windows(codec, wav), whole(codec, wav)) >= FLOAT_NOISE_DB


@pytest.mark.long
@pytest.mark.parametrize("windows", [1, 2, 3])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_lengths_around_whole_numbers_of_windows_come_back_whole(windows: int, more: int) -> None:
    codec = build("soundstream")
    wav = speech(codec, windows * window_samples(codec) + more)
    assert snr_db(in_windows(codec, wav), whole(codec, wav)) >= FLOAT_NOISE_DB


def test_a_recording_of_exactly_one_window_goes_through_at_once() -> None:
    codec = build("encodec")
    wav = speech(codec, window_samples(codec))
    assert torch.equal(in_windows(codec, wav), whole(codec, wav))


@pytest.mark.parametrize("name", NORMALIZED_OVER_TIME)
def test_codecs_that_normalize_over_time_take_the_statistics_of_each_window(name: str) -> None:
    codec = build(name)
    wav = speech(codec, 5 * (codec.sample_rate or 0))
    output = in_windows(codec, wav)
    assert output.shape == wav.shape
    assert snr_db(output, whole(codec, wav)) >= NORMALIZED_OVER_TIME[name]


@pytest.mark.parametrize("name", FORMS)
def test_a_codec_says_how_much_context_it_hears_unless_it_holds_a_sample_at_a_time(name: str) -> None:
    # the noise of SNAC depends on a whole recording
    assert (build(name).context_duration is None) == (name in ("passthrough", "snac"))


@pytest.mark.parametrize("seconds", [11, 20, 200, 2000])
def test_a_codec_is_never_given_more_than_a_window_and_its_context_however_long_the_recording(seconds: int) -> None:
    codec = Watched()
    wav = torch.rand(1, seconds * codec.sample_rate)
    (output,) = resynthesize(codec, wav, [1], window_duration=10.0)
    torch.testing.assert_close(output, wav)
    assert max(codec.lengths) <= (10 + 2) * codec.sample_rate


def test_the_level_is_that_of_the_whole_recording_and_not_of_a_window() -> None:
    codec = Watched()
    quiet_then_loud = torch.cat([torch.full((1, 200), 0.01), torch.full((1, 100), 1.0)], dim=1)
    resynthesize(codec, quiet_then_loud, [1], window_duration=10.0)
    assert len(codec.peaks) == 3
    whole_rms = quiet_then_loud.square().mean().sqrt().item()
    assert codec.peaks[0] == pytest.approx(0.01 / whole_rms)
    assert codec.peaks[-1] == pytest.approx(1.0 / whole_rms)


def test_each_window_is_encoded_once_for_all_numbers_of_quantizers() -> None:
    codec = Watched()
    outputs = resynthesize(codec, torch.rand(1, 100), [1, 1, 1], window_duration=5.0)
    assert len(outputs) == 3
    assert len(codec.peaks) == 2


class Watched(Codec):
    """A stand-in codec at 10 samples a second, which remembers the peaks and lengths of what it was given."""

    sample_rate = 10
    hop_length = 2
    num_quantizers = 1
    bits_per_code = 1
    gain = Gain.UNIT_RMS

    def __init__(self) -> None:
        self.peaks: list[float] = []
        self.lengths: list[int] = []

    def encode(self, wav: Tensor) -> Tensor:
        self.peaks.append(wav.abs().max().item())
        self.lengths.append(wav.shape[1])
        return wav[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return codes[:, 0]


def build(name: str) -> Codec:
    """A small codec whose codebooks are filled: those of moving averages are zeros until their first batch.

    The batch has different rows: equal ones would make equal codes, between which rounding decides.
    """
    module, model = FORMS[name]
    codec = codec_wrappers.build(module, model)
    if isinstance(codec, TrainableCodec):
        for _ in range(2):
            codec.reconstruct(torch.cat([speech(codec, 24 * codec.hop_length) for _ in range(4)]))
        codec.network.eval()
    return codec


def speech(codec: Codec, num_samples: int) -> Tensor:
    """Harmonics of a wandering pitch, louder and softer as syllables are, and noise: `[1, num_samples]`."""
    rate = codec.sample_rate or 16_000
    seconds = torch.arange(num_samples) / rate
    pitch = 120 + 30 * torch.sin(2 * torch.pi * 0.7 * seconds)
    phase = (2 * torch.pi * pitch / rate).cumsum(0)
    voiced = torch.stack([torch.sin(n * phase) / n for n in range(1, 9)]).sum(0)
    syllables = 0.6 + 0.4 * torch.sin(2 * torch.pi * 3 * seconds)
    return (0.1 * syllables * voiced + 0.01 * torch.randn(num_samples))[None]


def window_samples(codec: Codec) -> int:
    return round(WINDOW_DURATION * (codec.sample_rate or 16_000))


def whole(codec: Codec, wav: Tensor) -> Tensor:
    return resynthesize(codec, wav, [codec.num_quantizers])[0]


def in_windows(codec: Codec, wav: Tensor) -> Tensor:
    return resynthesize(codec, wav, [codec.num_quantizers], WINDOW_DURATION)[0]


def snr_db(wav: Tensor, expected: Tensor) -> float:
    noise = (wav - expected).square().sum()
    return float("inf") if noise == 0 else float(10 * torch.log10(expected.square().sum() / noise))
