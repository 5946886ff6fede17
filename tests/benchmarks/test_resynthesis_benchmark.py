"""The arithmetic of the resynthesis benchmark, and that every way it measures makes the recordings it is given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from small_codecs import SMALL, TRAINABLE

from benchmarks import resynthesis as benchmark  # noqa: E402
from benchmarks import speech  # noqa: E402
from codec_wrappers.resynthesis.shard import resynthesize

Measurement = benchmark.Measurement


def test_the_ratio_is_the_median_over_pairs() -> None:
    assert benchmark.ratio([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == 3.0
    assert benchmark.ratio([1.0], [2.0]) == 0.5


def test_a_cpu_is_judged_by_its_own_time_and_a_gpu_by_the_clock() -> None:
    measurements = [Measurement(wall_seconds=5.0, cpu_seconds=2.0, peak_mb=0.0)]
    assert benchmark.cost(measurements, "cpu") == [2.0]
    assert benchmark.cost(measurements, "cuda") == [5.0]


def test_speeds_are_medians_of_audio_a_second_and_a_second_of_a_core() -> None:
    measurements = [Measurement(wall, cpu, 0.0) for wall, cpu in ((1.0, 2.0), (2.0, 4.0), (5.0, 10.0))]
    assert benchmark.speeds(measurements, seconds=10.0) == "5 | 2.5"


@pytest.mark.parametrize("utterances", [None, 1, 7])
def test_durations_sum_to_the_seconds_asked_for(utterances: int | None) -> None:
    measurements = speech.durations(60.0, utterances, np.random.default_rng(0))
    assert measurements.sum() == pytest.approx(60.0)
    assert len(measurements) == (utterances or 19)
    assert (measurements > 0).all()


def test_made_recordings_are_listed_with_the_lengths_and_rates_of_their_files(tmp_path: Path) -> None:
    table = speech.make(tmp_path / "made", 2.0, 3)
    assert len(table) == 3
    for row in table.itertuples():
        about = soundfile.info(tmp_path / "made" / row.path)
        assert (about.frames, about.samplerate) == (row.num_samples, row.sample_rate)
    assert table["num_samples"].sum() / speech.SAMPLE_RATE == pytest.approx(2.0, abs=1e-3)


def test_found_recordings_end_with_the_one_that_makes_the_seconds_full(tmp_path: Path) -> None:
    speech.make(tmp_path / "made", 4.0, 8)
    assert len(speech.find(tmp_path / "made", 0.1, None)) == 1
    assert len(speech.find(tmp_path / "made", 100.0, 5)) == 5
    assert len(speech.find(tmp_path / "made", 100.0, None)) == 8


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no .wav or .flac file in it"):
        speech.find(tmp_path, 1.0, None)


def test_every_codec_that_is_not_a_package_as_it_is_is_measured() -> None:
    assert {case.wrapper for case in benchmark.CASES.values()} == {*TRAINABLE, "lyra"}


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [
        "soundstream",
        "audiodec",
        "academicodec",
        "speechtokenizer",
        "dac",
        pytest.param("encodec", marks=pytest.mark.slow),  # upstream is built at its published size alone
        pytest.param("funcodec", marks=pytest.mark.slow),
    ],
)
def test_upstream_makes_the_recording_that_ours_makes(name: str, tmp_path: Path) -> None:
    model = {} if name in ("encodec", "funcodec") else SMALL[name]
    case = replace(benchmark.CASES[name], model=model)
    codec = benchmark._build_codec(case, torch.device("cpu"), None)
    assert codec.sample_rate is not None and codec.network is not None
    codec.network.eval()
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "in.wav", 0.1 * rng.standard_normal(codec.sample_rate // 2 + 7), codec.sample_rate)
    wav, _ = soundfile.read(tmp_path / "in.wav", dtype="float32")
    (ours,) = resynthesize(codec, torch.from_numpy(wav)[None], [4])
    case.upstream(codec, torch.device("cpu"))(tmp_path / "in.wav", tmp_path / "out.wav", 4)
    theirs, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == codec.sample_rate
    np.testing.assert_allclose(theirs, ours[0, : len(theirs)].clamp(-1, 1), atol=1.1 / 32768)
    assert len(wav) - codec.hop_length < len(theirs) <= len(wav)  # the workflow fills what a codec leaves open
    assert np.std(theirs) > 20 / 32768
