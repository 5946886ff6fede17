"""The door for audio: lengths, levels and rounding."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from codecfake.audio import waveforms

SAMPLE_RATES = [8000, 16000, 22050, 24000, 44100, 48000]


def tone(frequency: float, sample_rate: int, num_samples: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(num_samples) / sample_rate)


@given(st.integers(1, 100_000), st.sampled_from(SAMPLE_RATES), st.sampled_from(SAMPLE_RATES))
def test_a_resampled_length_is_the_exact_duration_to_half_a_sample(length: int, source: int, target: int) -> None:
    resampled = waveforms.resampled_length(length, source, target)
    assert resampled >= 1
    assert abs(resampled * source - length * target) * 2 <= source or resampled == 1


@pytest.mark.parametrize("source", SAMPLE_RATES)
@pytest.mark.parametrize("target", SAMPLE_RATES)
@pytest.mark.parametrize("length", [1, 2, 333, 4801])
def test_resampling_gives_exactly_the_promised_length(source: int, target: int, length: int) -> None:
    wav = np.zeros(length, dtype=np.float32)
    assert len(waveforms.resample(wav, source, target)) == waveforms.resampled_length(length, source, target)


@pytest.mark.parametrize("target", [16000, 24000, 44100])
def test_a_tone_keeps_its_pitch_and_level_through_the_resampler(target: int) -> None:
    wav = tone(1000.0, 48000, 48000).astype(np.float32)
    expected = tone(1000.0, target, target)
    middle = slice(target // 4, 3 * target // 4)
    np.testing.assert_allclose(waveforms.resample(wav, 48000, target)[middle], expected[middle], atol=1e-5)


def test_sixteen_bit_samples_come_through_the_door_unchanged(rng: np.random.Generator) -> None:
    samples = rng.integers(-32768, 32768, 4000).astype(np.int16)
    data = waveforms.encode_flac(samples, 16000)
    read_back, clipped = waveforms.to_int16(waveforms.decode(data, "x").wav)
    assert clipped == 0
    np.testing.assert_array_equal(read_back, samples)
    np.testing.assert_array_equal(waveforms.decode_int16(data)[0], samples)


def test_samples_beyond_full_scale_are_clipped_and_counted() -> None:
    samples, clipped = waveforms.to_int16(np.array([-1.0, 1.0, 0.0, -1.5]))
    assert (list(samples), clipped) == ([-32768, 32767, 0, -32768], 2)


def test_a_sample_that_is_not_finite_is_refused() -> None:
    with pytest.raises(waveforms.AudioError, match="1 of 3 samples are not finite"):
        waveforms.to_int16(np.array([0.0, np.nan, 0.1]))


def test_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.array([[0.5, -0.25]] * 10), 16000, subtype="FLOAT")
    np.testing.assert_array_equal(waveforms.read(tmp_path / "stereo.wav").wav, np.full(10, 0.125, np.float32))


def test_a_file_that_changed_since_ingest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(10), 16000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(waveforms.read(path, digest).wav) == 10
    soundfile.write(path, np.zeros(11), 16000)
    with pytest.raises(waveforms.AudioError, match="a.wav: the file changed since its corpus was ingested"):
        waveforms.read(path, digest)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(waveforms.AudioError, match="gone.wav: cannot be read"):
        waveforms.read(tmp_path / "gone.wav")


def test_channels_are_read_from_a_file_by_the_same_door(tmp_path: Path, rng: np.random.Generator) -> None:
    samples = rng.integers(-9, 9, (10, 3)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    recording = waveforms.read_channels(tmp_path / "a.wav")
    np.testing.assert_array_equal(recording.samples * 32768, samples)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:-1])
    with pytest.raises(waveforms.AudioError, match="a.wav: truncated"):
        waveforms.read_channels(tmp_path / "a.wav")


def test_a_segment_is_the_part_of_the_whole_that_it_says(tmp_path: Path, rng: np.random.Generator) -> None:
    soundfile.write(tmp_path / "a.wav", rng.uniform(-0.5, 0.5, 1000), 16000)
    whole = waveforms.read(tmp_path / "a.wav").wav
    np.testing.assert_array_equal(waveforms.read_segment(tmp_path / "a.wav", 100, 50), whole[100:150])
    np.testing.assert_array_equal(waveforms.read_segment(tmp_path / "a.wav", 990, 20), np.r_[whole[990:], np.zeros(10)])
