"""DAC a second at a time, as its package's `compress` and `decompress`: laws on tiny networks with fresh weights."""

import math
from typing import Any

import pytest
import torch
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers import dac as dac_wrapper
from codec_wrappers.codec import Gain
from codec_wrappers.dac import ChunkedDac, Dac
from codec_wrappers.resynthesis.levels import level
from codec_wrappers.resynthesis.shard import resynthesize, with_gain
from codecfake.audio import loudness
from codecfake.base.settings import SettingsError

RATE = 16_000
STEP = 5346  # samples that a window of 1 s decodes to, at 16 kHz


@pytest.fixture
def codec() -> ChunkedDac:
    return small()


def small(sample_rate: int = RATE, **model: Any) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return codec_wrappers.build("dac", {**SMALL["dac"], "sample_rate": sample_rate, "mode": "chunked", **model})


def noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def compressed(codec: Any, wav: Tensor) -> Tensor:
    """Codes of the package's own `compress`, the level left as it is."""
    from audiotools import AudioSignal

    signal = AudioSignal(wav[:, None], codec.sample_rate)
    signal._loudness = torch.zeros(len(wav))  # which it measures by a package that is not needed here
    return codec.network.compress(signal, normalize_db=None).codes


def decompressed(codec: Any, codes: Tensor, num_frames: int) -> Tensor:
    """What the package's decoder gives for windows of so many frames."""
    codec.network.padding = False
    pieces = [codec.network.decode(codec.network.quantizer.from_codes(part)[0]) for part in codes.split(num_frames, 2)]
    codec.network.padding = True
    return torch.cat(pieces, dim=2)[:, 0]


@pytest.mark.parametrize("num_samples", [1, 15_999, 16_000, 16_001, 3 * STEP, 3 * STEP + 1, 40_000])
@torch.inference_mode()
def test_chunked_codes_are_those_of_the_packages_compress(codec: ChunkedDac, num_samples: int) -> None:
    wav = noise(2, num_samples)
    assert torch.equal(codec.encode(wav), compressed(codec, wav))


@pytest.mark.long
@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 44_100])
@torch.inference_mode()
def test_chunked_waveforms_are_those_of_the_packages_windows_one_after_the_other(sample_rate: int) -> None:
    codec = with_gain(small(sample_rate), "none")
    codes = codec.encode(noise(1, 2 * sample_rate))
    num_windows = math.ceil(2 * sample_rate / codec._step)
    expected = decompressed(codec, codes, codes.shape[2] // num_windows)
    torch.testing.assert_close(codec.decode(codes), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("num_samples", [1, 319, 320, 321, 15_999, 16_000, 16_001, 3 * STEP, 3 * STEP + 1])
def test_as_many_samples_come_back_from_chunks_as_went_in(codec: Any, num_samples: int) -> None:
    outputs = resynthesize(codec, noise(1, num_samples), [1, 4])
    assert [output.shape for output in outputs] == [(1, num_samples)] * 2


@pytest.mark.parametrize("num_samples", [12_000, 40_000])
@torch.inference_mode()
def test_chunks_cover_what_was_encoded_but_for_the_decoders_eight_samples(codec: ChunkedDac, num_samples: int) -> None:
    assert codec.decode(codec.encode(noise(1, num_samples))).shape[1] >= num_samples - 8


@pytest.mark.long
@pytest.mark.parametrize("num_samples", [9_000, 40_000])
def test_rows_of_a_batch_do_not_change_each_others_chunks(codec: Any, num_samples: int) -> None:
    wav = noise(3, num_samples) * torch.tensor([[1.0], [1e-3], [0.0]])
    (together,) = resynthesize(codec, wav, [4])
    for row in range(3):
        (alone,) = resynthesize(codec, wav[row : row + 1], [4])
        torch.testing.assert_close(together[row], alone[0], rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_windows_taken_a_few_at_a_time_give_what_they_give_at_once(codec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wav = noise(2, 60_000)
    (at_once,) = resynthesize(codec, wav, [4])
    monkeypatch.setattr(dac_wrapper, "WINDOWS_AT_ONCE", 5)
    torch.testing.assert_close(resynthesize(codec, wav, [4])[0], at_once, rtol=1e-4, atol=1e-6)


@torch.inference_mode()
def test_a_window_hears_nothing_beyond_its_second(codec: ChunkedDac) -> None:
    wav = noise(1, 60_000)
    later = wav.clone()
    later[:, 40_000:] = 0.5
    windows, changed = codec.windows(wav)[0], codec.windows(later)[0]
    same = int((windows == changed).all(dim=1).sum())
    assert same == 1 + (40_000 + codec.network.delay - RATE) // STEP
    frames = same * codec._frames
    assert torch.equal(codec.encode(wav)[..., :frames], codec.encode(later)[..., :frames])


@pytest.mark.parametrize("scale", [1.0, 0.01])
@pytest.mark.parametrize("num_samples", [9_000, 40_000])
def test_the_loudness_of_the_recording_comes_back_from_chunks(codec: Any, scale: float, num_samples: int) -> None:
    wav = scale * noise(2, num_samples)
    (output,) = resynthesize(codec, wav, [4])
    # what is measured is what was decoded: 8 samples fewer, or up to a window more
    torch.testing.assert_close(loudness.loudness(output, RATE), loudness.loudness(wav, RATE), rtol=0, atol=0.3)


@torch.inference_mode()
def test_peaks_over_full_scale_are_held_there_before_they_are_encoded(codec: ChunkedDac) -> None:
    wav = noise(1, 40_000)
    loud = wav * 3 / wav.abs().max()
    assert torch.equal(codec.encode(loud), codec.encode(loud / loud.abs().max()))


def test_chunks_at_another_gain_are_not_brought_to_a_loudness(codec: ChunkedDac) -> None:
    wav = noise(1, 40_000)
    (output,) = resynthesize(with_gain(codec, "none"), wav, [4])
    with torch.inference_mode():
        codes = codec.encode(wav)
        assert torch.equal(output, codec.decode(codes)[:, :40_000])
        assert codec.gain is Gain.NONE


@pytest.mark.parametrize("num_samples", [1, 9_000, 40_000])
def test_silence_in_chunks_stays_finite_and_as_quiet_as_silence_is_said_to_be(codec: Any, num_samples: int) -> None:
    (output,) = resynthesize(codec, torch.zeros(1, num_samples), [4])
    assert torch.isfinite(output).all()
    assert loudness.loudness(output, RATE) <= loudness.FLOOR + 0.3


@torch.inference_mode()
def test_the_network_pads_again_after_chunks_and_after_an_error(codec: Any) -> None:
    codec.encode(noise(1, 40_000))
    assert codec.network.padding
    with pytest.raises(RuntimeError):
        codec._decode_windows(torch.full((1, 4, 2 * codec._frames), -1).float())
    assert codec.network.padding


def test_chunked_training_is_that_of_whole_files() -> None:
    wav = noise(2, 24 * 320)
    chunked, whole = small(), small(mode="file")
    assert type(whole) is Dac
    for first, second in zip(chunked.network.state_dict().items(), whole.network.state_dict().items(), strict=True):
        assert first[0] == second[0] and torch.equal(first[1], second[1])
    results = []
    for codec in (chunked, whole):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            results.append(codec.reconstruct(wav))
    assert torch.equal(results[0].wav, results[1].wav)
    assert torch.equal(results[0].quantizer_loss, results[1].quantizer_loss)


def test_codes_of_whole_files_are_refused_where_they_are_not_whole_windows(codec: ChunkedDac) -> None:
    with pytest.raises(ValueError, match="103 frames are not whole windows of 34 frames"):
        codec.decode(torch.zeros(1, 4, 103, dtype=torch.int64))


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="unknown mode 'streamed'; choose from file, chunked"):
        codec_wrappers.build("dac", {"mode": "streamed"})


def test_strides_that_leave_nothing_of_a_second_are_refused() -> None:
    with pytest.raises(SettingsError, match="1 s is too short for chunks"):
        small(encoder_rates=[8, 8, 8, 8])


@pytest.mark.parametrize("gain", [Gain.LUFS_16])
def test_the_level_of_loudness_needs_a_sample_rate(gain: Gain) -> None:
    with pytest.raises(ValueError, match="gain lufs needs the codec's sample rate"):
        level(gain, noise(1, 100))
