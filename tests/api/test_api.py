"""The Python API, as docs/api.md shows it."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import tones
import torch
from places import ROOT

import codec_wrappers
import codecfake
from codec_wrappers.weights.loading import save
from codecfake.api.codecs import ResynthesisError
from codecfake.api.results import ResultsError
from codecfake.base import files
from codecfake.detectors import models
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.scoring import judging, verdicts
from codecfake.statistics import metrics

DOCUMENT = (ROOT / "docs/api.md").read_text(encoding="utf-8")
MODEL = "mel-lcnn/codec/erm/seed1"
RATE = 16_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with what the API reads: a small codec, a small detector, a protocol and its scores."""
    folder = tmp_path_factory.mktemp("run")
    results = folder / "results"
    torch.manual_seed(0)
    small = codec_wrappers.entry("encodec").small
    codec = codec_wrappers.build("encodec", small)
    assert codec.network is not None
    save(codec.network, results / "codecs/encodec/weights.safetensors")
    files.write_json(results / "codecs/encodec/settings.json", {"model": small})
    settings = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125})
    detector = Detector(settings, 4000)
    record = {
        "front_end_weights": detector.front_end_weights(),
        "settings": {"detector": settings.complete(), "crop_samples": 4000, "pad": "repeat"},
    }
    models.save(results / "models" / MODEL, detector.own_state(), record)
    path = tones.write_protocol(results / "protocols/eval/C1.tsv", range(8))
    protocol = files.read_tsv(path)
    files.write_tsv(path, protocol.assign(speaker_id=[f"s{number % 4}" for number in range(len(protocol))]))
    tones.write_protocol(results / "protocols/codec/train.tsv", range(8, 12))
    scores = pd.DataFrame({"trial_id": protocol["trial_id"][::-1], "score": np.linspace(-1, 1, len(protocol))})
    files.write_tsv(results / "scores" / MODEL / "C1.tsv", scores)
    return folder


@pytest.fixture
def wav() -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(9_001)


def test_the_lines_of_the_document_run_in_a_run_directory(
    run: Path, wav: np.ndarray, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run)
    (block,) = re.findall(r"```python\n(.+?)```", DOCUMENT, re.DOTALL)
    names = {"wav": wav}
    exec(block, names)
    assert names["rate"] == RATE
    assert names["fake"].shape == wav.shape
    assert names["fake"].dtype == np.float32
    assert "Interval(estimate=" in capsys.readouterr().out


def test_the_lines_of_the_readme_run(
    run: Path, wav: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With weights in place of the published ones, which are not downloaded here."""
    converted = tmp_path / "weights/converted/encodec_24khz"
    network = codec_wrappers.build("encodec", {}).network
    assert network is not None
    save(network, converted / "weights.safetensors")
    digest = files.sha256(converted / "weights.safetensors")
    files.write_json(converted / "provenance.json", {"weights_sha256": {"weights.safetensors": digest}})
    (tmp_path / "results").symlink_to(run / "results")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/real-small").symlink_to(run)
    monkeypatch.chdir(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.+?)```", readme, re.DOTALL)
    names = {"speech": wav[:4000]}
    exec(block, names)
    assert names["fake"].shape == (4000,)
    assert isinstance(names["score"], float)
    assert "Interval(estimate=" in capsys.readouterr().out


def test_the_document_names_every_function_with_all_its_arguments() -> None:
    arguments_of = dict(re.findall(r"^\| `(\w+)\((.+?)\)` \|", DOCUMENT, re.MULTILINE))
    assert sorted(arguments_of) == codecfake.api.__all__
    for name, arguments in arguments_of.items():
        assert arguments.split(", ") == list(inspect.signature(getattr(codecfake, name)).parameters)


def test_importing_the_package_and_reading_results_need_no_torch(run: Path) -> None:
    code = (
        "import sys, codecfake; assert 'pandas' not in sys.modules;"
        f"print(len(codecfake.read_scores({str(run)!r})), 'torch' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["16", "False"]


def test_a_name_that_the_api_does_not_have_is_answered_with_those_that_it_has() -> None:
    with pytest.raises(AttributeError, match="no attribute 'load_codecs'; it offers compare, eer, load_codec"):
        _ = codecfake.load_codecs
    assert "load_codec" in dir(codecfake)


@pytest.mark.parametrize(("rate", "output_rate"), [(16_000, None), (48_000, 16_000), (22_050, 44_100)])
def test_a_codec_gives_the_exact_duration_at_the_rate_that_is_asked_for(
    run: Path, wav: np.ndarray, rate: int, output_rate: int | None
) -> None:
    codec = codecfake.load_codec("encodec", weights=run / "results/codecs/encodec")
    fake, fake_rate = codec.resynthesize(wav, rate, output_rate=output_rate)
    assert fake_rate == (output_rate or rate)
    assert len(fake) == round(len(wav) * fake_rate / rate)
    assert codec.bitrate_kbps(2) == pytest.approx(2 * 4 * 75 / 1000)  # 16 entries are 4 bits, 75 frames a second


def test_channels_are_averaged(wav: np.ndarray) -> None:
    codec = codecfake.load_codec("passthrough")
    fake, _ = codec.resynthesize(np.stack([wav, -wav, wav], axis=1), RATE)
    np.testing.assert_allclose(fake, wav / 3, atol=1e-7)


@pytest.mark.parametrize("array", [np.zeros(0), np.zeros((2, 3, 4)), np.zeros(5, dtype=np.int16)])
def test_an_array_that_is_no_speech_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ResynthesisError, match="speech is an array of floats"):
        codecfake.load_codec("passthrough").resynthesize(array, RATE)


def test_a_detector_scores_an_array_as_it_scores_the_file(run: Path, wav: np.ndarray, tmp_path: Path) -> None:
    samples = np.rint(wav * 32768) / 32768
    soundfile.write(tmp_path / "speech.wav", samples, RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    detector = codecfake.load_detector(run / "results/models" / MODEL)
    table = detector.score_files([tmp_path]).set_index("path")
    assert table.loc[str(tmp_path / "speech.wav"), "score"] == detector.score(samples, RATE)
    assert table.loc[str(tmp_path / "speech.wav"), "verdict"] in verdicts.WORDS.values()
    assert "truncated" in table.loc[str(tmp_path / "broken.wav"), "reason"]
    assert not table["demonstration"].any()
    judge = judging.Judge(run / "results/models" / MODEL, torch.device("cpu"))
    assert judge(tmp_path / "speech.wav").score == detector.score(samples, RATE)


def test_scores_are_joined_with_their_trials_by_name(run: Path) -> None:
    scores = codecfake.read_scores(run, MODEL)
    assert scores[["model", "condition"]].drop_duplicates().to_numpy().tolist() == [[MODEL, "C1"]]
    by_trial = scores.set_index("trial_id")
    assert by_trial.loc["u000", "score"] == 1.0  # the score file is in the reverse order of the protocol
    assert by_trial.loc["u000", "key"] == "bonafide"
    assert by_trial.loc["F01_u007", "score"] == -1.0


def test_scores_of_other_trials_than_the_protocol_s_are_refused(run: Path, tmp_path: Path) -> None:
    protocol = tones.write_protocol(tmp_path / "results/protocols/eval/C1.tsv", range(8))
    trials = files.read_tsv(protocol)["trial_id"]
    files.write_tsv(tmp_path / "results/scores/m/C1.tsv", pd.DataFrame({"trial_id": trials[1:], "score": 0.0}))
    with pytest.raises(ResultsError, match="15 scores, 16 trials in its protocol, 15 in both"):
        codecfake.read_scores(tmp_path)


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no scores of m"):
        codecfake.read_scores(tmp_path, "m")
    with pytest.raises(ResultsError, match="no protocols"):
        codecfake.read_protocols(tmp_path)


def test_protocols_come_in_one_table(run: Path) -> None:
    assert codecfake.read_protocols(run)["protocol"].value_counts().to_dict() == {"eval/C1": 16, "codec/train": 8}


def test_the_eer_is_that_of_the_tables_and_lies_in_its_interval() -> None:
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(1, 1, 60), rng.normal(-1, 1, 60)])
    keys, speakers = ["bonafide"] * 60 + ["spoof"] * 60, [f"s{n % 12}" for n in range(120)]
    expected = metrics.eer(scores[:60], scores[60:]).eer
    order = rng.permutation(120)
    for by in (None, speakers):
        units = None if by is None else np.array(by)[order]
        interval = codecfake.eer(scores[order], np.array(keys)[order], units, resamples=200)
        assert interval.estimate == pytest.approx(expected)
        assert 0 < interval.low < expected < interval.high < 1
    exact = codecfake.eer(scores, keys, resamples=0)
    assert exact.resamples == 0
    assert exact.low < expected < exact.high


def test_a_comparison_has_the_eers_of_both_detectors_and_finds_a_difference_that_is_there() -> None:
    rng = np.random.default_rng(0)
    keys, speakers = ["bonafide"] * 120 + ["spoof"] * 120, [f"s{n % 12}" for n in range(240)]
    level = np.repeat([1.0, -1.0], 120)
    good, bad = level + rng.normal(0, 0.6, 240), level + rng.normal(0, 2, 240)
    comparison = codecfake.compare(bad, good, keys, speakers, resamples=200)
    assert comparison.first == codecfake.eer(bad, keys, resamples=0).estimate
    assert comparison.second == codecfake.eer(good, keys, resamples=0).estimate
    assert comparison.difference.estimate == comparison.first - comparison.second
    assert 0 < comparison.difference.low < comparison.difference.estimate < comparison.difference.high
    assert comparison.p_value < 0.05
    swapped = codecfake.compare(good, bad, keys, speakers, resamples=200)
    assert swapped.difference.estimate == -comparison.difference.estimate
    assert codecfake.compare(good, good, keys, resamples=200).p_value == 1


def test_a_comparison_needs_a_score_of_both_detectors_for_every_trial() -> None:
    keys = ["bonafide", "spoof"] * 2
    with pytest.raises(ValueError, match="3 scores need as many keys"):
        codecfake.compare([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], keys)
    with pytest.raises(ValueError, match="every trial needs one score"):
        codecfake.compare([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0], keys)


def test_keys_that_are_neither_bonafide_nor_spoof_are_named() -> None:
    with pytest.raises(ValueError, match="unknown: \\['real'\\]"):
        codecfake.eer([1.0, 2.0], ["real", "spoof"])
