"""Verdicts on audio files of any kind: heard as in training, judged by what dev said, and no file lost in silence."""

import json
import math
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import odd_audio
import pandas as pd
import pytest
import soundfile
import tones
import torch

from codecfake.__main__ import main
from codecfake.audio import waveforms
from codecfake.audio.waveforms import AudioError
from codecfake.base import files
from codecfake.corpora.ingest import IngestSettings
from codecfake.detectors import models
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.detectors.released import PUBLISHED_SCORES
from codecfake.scoring import audio_files, conditions, judging, reading, verdicts
from codecfake.scoring.calibration import Calibration
from codecfake.scoring.judging import Judge, Judgment, Window
from codecfake.scoring.outcome_texts import Texts
from codecfake.scoring.reading import Failure
from codecfake.scoring.verdicts import DevResult, VerdictError

CPU = torch.device("cpu")
WINDOW = 4_000
MEL_LCNN = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125})
SMALL_SSL = {
    "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": [8] * 7, "num_hidden_layers": 1,
    "feat_extract_norm": "layer", "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
DEV = DevResult(eer=0.1, eer_threshold=0.5, calibration=Calibration(2.0, 3.0, 0.5, 20, 30))  # LLR 0 at -1.5


def write_model(
    folder: Path, settings: DetectorSettings = MEL_LCNN, pad: str = "repeat", window: int = WINDOW, **more: str
) -> Path:
    torch.manual_seed(0)
    detector = Detector(settings, window)
    values = {"detector": settings.complete(), "crop_samples": window, "pad": pad, **more}
    models.save(folder, detector.own_state(), {"front_end_weights": detector.front_end_weights(), "settings": values})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def judge(model: Path) -> Judge:
    return Judge(model, CPU)


def noise(num_samples: int, seed: int = 0) -> np.ndarray:
    """16-bit noise, so that any format of 16 bit or more keeps it."""
    return np.round(np.random.default_rng(seed).uniform(-0.3, 0.3, num_samples) * 32768) / 32768


def write(path: Path, wav: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wav, rate, subtype=subtype)
    return path


# What the detector hears


def test_a_file_scores_as_its_recording_does_in_the_workflow_to_the_last_bit(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", window=6_400)  # as long as the longest of these recordings
    shard = tones.write_audio(tmp_path / "audio", num_utterances=3) / tones.CORPUS / tones.SOURCE / "0000.tar"
    protocol = tones.write_protocol(tmp_path / "C1.tsv", range(3))
    conditions.score(model, [protocol], tmp_path / "audio", tmp_path / "scores", CPU, batch_size=1)
    with tarfile.open(shard) as tar:
        for member in tar:
            files.write_bytes(tmp_path / "files" / member.name, tar.extractfile(member).read())  # type: ignore[union-attr]
    scores = files.read_tsv(tmp_path / "scores" / "C1.tsv").set_index("trial_id")["score"].astype(np.float32)
    judge, paths = Judge(model, CPU), sorted((tmp_path / "files").rglob("*.flac"))
    assert [np.float32(judge(path).score) for path in paths] == scores[[path.stem for path in paths]].tolist()
    assert len(paths) == 3


def test_a_detector_for_whole_recordings_hears_all_of_them_whatever_their_length(tmp_path: Path) -> None:
    small_aasist = {"name": "aasist", "projection": 12, "channels": [2, 4], "graph_dims": [4, 2]}
    model = write_model(tmp_path / "model", DetectorSettings({"name": "mel", "log": True}, small_aasist), crop="whole")
    shard = tones.write_audio(tmp_path / "audio", num_utterances=3) / tones.CORPUS / tones.SOURCE / "0000.tar"
    protocol = tones.write_protocol(tmp_path / "C1.tsv", range(3))
    conditions.score(model, [protocol], tmp_path / "audio", tmp_path / "scores", CPU)
    scores = files.read_tsv(tmp_path / "scores" / "C1.tsv").set_index("trial_id")["score"].astype(np.float32)
    detector, judge = models.load(model, CPU)[0], Judge(model, CPU)
    with tarfile.open(shard) as tar:
        paths = [tmp_path / "files" / member.name for member in tar]
        for path in paths:
            files.write_bytes(path, tar.extractfile(path.name).read())  # type: ignore[union-attr]
    lengths = set()
    for path in paths:
        wav = soundfile.read(path, dtype="float32")[0]
        with torch.no_grad():
            logits = detector(torch.from_numpy(wav)[None])
        judgment = judge(path)
        assert [window.start for window in judgment.windows] == [0]
        assert np.float32(judgment.score) == scores[path.stem] == (logits[0, 1] - logits[0, 0]).numpy()
        lengths.add(len(wav))
    assert len(lengths) > 1
    texts = Texts(verdicts.rule("logits", None, model), None, judge.window_samples)
    assert "logit(spoof), of the whole recording." in texts.summary(0, 0)
    with pytest.raises(models.ModelError, match="scores whole recordings, .*--batch-size cannot be 2; leave it out"):
        Judge(model, CPU, batch_size=2)


@pytest.mark.parametrize(
    ("suffix", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16"), ("wav", "FLOAT"), ("aiff", "PCM_24")]
)
def test_the_format_of_a_file_does_not_matter(suffix: str, subtype: str, judge: Judge, tmp_path: Path) -> None:
    plain = judge(write(tmp_path / "plain.wav", noise(9_000)))
    assert judge(write(tmp_path / f"other.{suffix}", noise(9_000), subtype=subtype)).windows == plain.windows


def test_channels_are_averaged(judge: Judge, tmp_path: Path) -> None:
    first, second = noise(5_000, 1), noise(5_000, 2)
    both = judge(write(tmp_path / "stereo.wav", np.stack((first, second), axis=1)))
    assert both.windows == judge(write(tmp_path / "mono.wav", (first + second) / 2, subtype="FLOAT")).windows


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_any_rate_goes_through_the_one_resampler_and_16_bit(rate: int, judge: Judge, tmp_path: Path) -> None:
    wav = noise(rate)
    at_16_khz = waveforms.to_int16(waveforms.resample(wav, rate, 16_000))[0] / 32768
    judgment = judge(write(tmp_path / "native.wav", wav, rate))
    assert judgment.windows == judge(write(tmp_path / "resampled.wav", at_16_khz)).windows
    assert judgment.duration == 1


def test_a_short_file_is_filled_up_as_in_training(judge: Judge, tmp_path: Path) -> None:
    wav = noise(1_700)
    short = write(tmp_path / "short.wav", wav)
    assert judge(short).windows == judge(write(tmp_path / "long.wav", np.resize(wav, WINDOW))).windows
    zeros = Judge(write_model(tmp_path / "zero", pad="zero"), CPU)
    assert zeros(short).windows == judge(write(tmp_path / "zeros.wav", waveforms.fit(wav, WINDOW))).windows


def test_samples_that_16_bit_had_to_clip_are_counted(judge: Judge, tmp_path: Path) -> None:
    square = np.sign(np.sin(np.arange(24_000) / 20))
    assert judge(write(tmp_path / "square.wav", 0.999 * square, 48_000)).clipped_samples > 0
    assert judge(write(tmp_path / "softer.wav", 0.5 * square, 48_000)).clipped_samples == 0


# Windows


@pytest.mark.parametrize(
    ("num_samples", "starts"),
    [(1, [0]), (9, [0]), (10, [0]), (11, [0, 1]), (19, [0, 9]), (20, [0, 10]), (21, [0, 10, 11]), (30, [0, 10, 20])],
)
def test_windows_lie_end_to_end_and_the_last_ends_with_the_recording(num_samples: int, starts: list[int]) -> None:
    assert judging.window_starts(num_samples, 10) == starts


def test_a_window_of_a_long_file_scores_as_a_file_of_its_own(judge: Judge, tmp_path: Path) -> None:
    wav = noise(2 * WINDOW + 1_000)
    long = judge(write(tmp_path / "long.wav", wav))
    assert [window.start for window in long.windows] == [0, 0.25, 0.3125]
    for window in long.windows:
        start = int(window.start * 16_000)
        alone = judge(write(tmp_path / "part.wav", wav[start : start + WINDOW]))
        assert window.score == alone.score


def test_many_windows_are_all_heard_in_their_order(judge: Judge, tmp_path: Path) -> None:
    count = 5
    wav = np.concatenate([noise(WINDOW, seed) * seed / count for seed in range(1, count + 1)])
    wav = np.round(wav * 32768) / 32768
    windows = judge(write(tmp_path / "long.wav", wav)).windows
    assert [window.start for window in windows] == [0.25 * number for number in range(count)]
    last = judge(write(tmp_path / "last.wav", wav[-WINDOW:]))
    assert windows[-1].score == last.score


def test_a_file_s_score_is_the_mean_of_its_windows_and_the_lowest_is_named(judge: Judge, tmp_path: Path) -> None:
    tone = np.sin(np.arange(WINDOW) / 5) * 0.3
    judgment = judge(write(tmp_path / "mixed.wav", np.concatenate((tone, noise(WINDOW), tone))))
    scores = [window.score for window in judgment.windows]
    assert judgment.score == pytest.approx(sum(scores) / 3)
    assert judgment.lowest == judgment.windows[int(np.argmin(scores))]


@pytest.mark.parametrize("form", PUBLISHED_SCORES)
def test_the_published_score_is_that_of_the_first_window_alone(form: str, model: Path, tmp_path: Path) -> None:
    wav = noise(3 * WINDOW)
    judge = Judge(model, CPU, published=form)
    long, first = (judge(write(tmp_path / "x.wav", part)).published for part in (wav, wav[:WINDOW]))
    assert long == first
    if form == "softmax":
        score = judge(write(tmp_path / "x.wav", wav[:WINDOW])).score
        assert first == pytest.approx(1 / (1 + math.exp(-score)), abs=1e-6)


# Files that cannot be judged


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no audio", "cannot be decoded"),
        (np.zeros(5_000), "digital silence"),
        (np.zeros(0), "it holds no samples"),
        (noise(1_599), "too short: 0.0999 s, at least 0.1 s are needed"),
        (np.full(5_000, np.nan), "5000 of 5000 samples are not finite"),
        (2 * noise(5_000) / 0.3, "exceed ±1"),
        (None, "cannot be read"),
        (noise(5_000) / 20_000, "digital silence once rounded to 16 bit"),
        (np.stack([noise(5_000), -noise(5_000)], axis=1), "every sample of the mean of its 2 channels is 0"),
    ],
)
def test_what_ingest_rejects_is_not_judged(content: Any, reason: str, judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write(path, content, subtype="FLOAT")
    (failure,) = judging.judge_files(judge, [path])
    assert isinstance(failure, Failure)
    assert failure.path == path
    assert reason in failure.reason
    assert str(path) not in failure.reason


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_regular_file_is_not_judged_and_not_waited_for(kind: str, judge: Judge, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.wav", write(tmp_path / "good.wav", noise(5_000))
    if kind == "pipe":
        os.mkfifo(bad)
    else:
        bad.symlink_to("/dev/zero")
    failure, judgment = judging.judge_files(judge, [bad, good])
    assert isinstance(failure, Failure)
    assert re.match(rf"cannot be read \(it is a .*{kind}", failure.reason)
    assert isinstance(judgment, Judgment)


def test_a_file_whose_header_lacks_its_length_is_judged_whole(judge: Judge, tmp_path: Path) -> None:
    _, *frames = odd_audio.mp3(noise(3 * 44_100)[:, None] * np.linspace(1, 0.001, 3 * 44_100)[:, None])
    (tmp_path / "stream.wav").write_bytes(b"".join(frames))  # the form is that of the content
    (judgment,) = judging.judge_files(judge, [tmp_path / "stream.wav"])
    assert isinstance(judgment, Judgment)
    assert judgment.duration == pytest.approx(len(frames) * 1152 / 44_100, abs=1e-3)


def test_the_least_duration_is_that_of_ingest() -> None:
    assert IngestSettings.min_duration == reading.MIN_DURATION


def test_a_file_of_the_least_duration_is_judged(judge: Judge, tmp_path: Path) -> None:
    assert judge(write(tmp_path / "x.wav", noise(1_600))).duration == 0.1


def test_a_score_that_is_not_finite_is_no_score(judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "score_of", lambda logits: logits[:, 0] * float("nan"))
    (failure,) = judging.judge_files(judge, [write(tmp_path / "x.wav", noise(5_000))])
    assert failure == Failure(tmp_path / "x.wav", "the detector has no finite score for it")


def test_folders_are_walked_in_order_and_what_is_no_audio_is_counted(tmp_path: Path) -> None:
    for name in ("b.WAV", "a/z.flac", "a/readme.txt", "c.m4a", "a/list.tsv"):
        (tmp_path / "audio" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "audio" / name).touch()
    arguments = [tmp_path / "named.bin", tmp_path / "audio"]
    listing = audio_files.audio_files(arguments)
    assert listing.paths == [
        tmp_path / "named.bin",
        *(tmp_path / "audio" / name for name in ("a/z.flac", "b.WAV", "c.m4a")),
    ]
    assert listing.names == ["named.bin", "a/z", "b", "c"]
    assert listing.left_out == audio_files.LeftOut(others=2)


def test_a_folder_without_audio_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").touch()
    with pytest.raises(AudioError, match="none of its 1 files has an audio suffix"):
        audio_files.audio_files([tmp_path])


# Verdicts


@pytest.mark.parametrize(
    ("name", "score", "verdict"),
    [
        ("llr", -1.5, "spoof"), ("llr", -1.499, "bona fide"),
        ("eer", 0.5, "spoof"), ("eer", 0.501, "bona fide"),
        ("logits", 0.0, "spoof"), ("logits", 0.001, "bona fide"),
        (None, -1.4, "bona fide"),
    ],
)  # fmt: skip
def test_scores_above_a_threshold_are_judged_bona_fide(name: str | None, score: float, verdict: str) -> None:
    assert verdicts.rule(name, DEV, Path()).verdict(score) == verdict


def test_the_reason_of_a_verdict_is_said() -> None:
    assert "calibrated on 20 bona fide and 30 spoof dev trials" in verdicts.rule("llr", DEV, Path()).reason
    assert "10 % of each key are errors" in verdicts.rule("eer", DEV, Path()).reason
    assert "uncalibrated" in verdicts.rule(None, None, Path()).reason


def test_without_a_calibration_equal_logits_are_the_threshold() -> None:
    assert verdicts.rule(None, None, Path()).threshold == 0


@pytest.mark.parametrize("name", ["llr", "eer"])
def test_a_threshold_that_needs_a_calibration_says_how_to_make_one(name: str) -> None:
    with pytest.raises(VerdictError, match=f"threshold {name} needs a calibration.*no m/calibration.json.*calibrate"):
        verdicts.rule(name, None, Path("m/calibration.json"))


@pytest.mark.parametrize(
    ("calibration", "reason"),
    [(None, "all dev scores are equal"), (Calibration(0.0, 0.0, 0.5, 2, 2), "do not score below bona fide")],
)
def test_where_dev_tells_nothing_nothing_is_judged(calibration: Calibration | None, reason: str) -> None:
    rule = verdicts.rule("llr", DevResult(0.5, 0.0, calibration), Path())
    assert rule.verdict(100.0) == "undecided"
    assert reason in rule.reason


# What dev says


def test_dev_gives_the_eer_its_threshold_and_the_calibration() -> None:
    scores, bonafide = np.array([3.0, 1.0, 2.0, -1.0, 1.5, -2.0]), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    result = verdicts.dev_result(scores, bonafide)
    assert result.eer == pytest.approx(1 / 3)  # 1.0 is rejected and 1.5 accepted
    assert 1.0 <= result.eer_threshold < 1.5
    assert result.calibration is not None
    assert (result.calibration.num_bonafide, result.calibration.num_spoof) == (3, 3)
    assert result.llr(3.0) == pytest.approx(3 * result.calibration.slope + result.calibration.offset)
    assert verdicts.dev_result(scores[::-1], bonafide[::-1]) == result


def test_dev_scores_that_do_not_vary_have_no_calibration() -> None:
    result = verdicts.dev_result(np.ones(4), np.array([True, False, True, False]))
    assert result.calibration is None
    assert result.llr(1.0) is None


@pytest.mark.parametrize("result", [DEV, DevResult(0.5, 0.0, None), DevResult(0.5, 0.0, None, (-1.0, 2.0))])
def test_what_dev_says_is_read_as_it_was_written(result: DevResult, tmp_path: Path) -> None:
    verdicts.write(tmp_path / "calibration.json", result)
    assert verdicts.read(tmp_path / "calibration.json") == result


def test_score_files_of_dev_make_a_calibration_for_any_model(tmp_path: Path) -> None:
    protocol = tones.write_protocol(tmp_path / "dev.tsv", range(2))
    scores = pd.DataFrame({"trial_id": ["F01_u001", "u000", "F01_u000", "u001"], "score": [-1.0, 2.0, -3.0, 4.0]})
    files.write_tsv(tmp_path / "scores.tsv", scores)
    arguments = ["--scores", tmp_path / "scores.tsv", "--protocol", protocol, "--output", tmp_path / "calibration.json"]
    main(["calibrate", *map(str, arguments)])
    expected = verdicts.dev_result(scores["score"].to_numpy(), np.array([False, True, False, True]))
    assert verdicts.read(tmp_path / "calibration.json") == expected
    files.write_tsv(tmp_path / "scores.tsv", scores[:3])
    with pytest.raises(VerdictError, match="has 3 trials, .*dev.tsv 4, and they are not the same"):
        verdicts.calibrate(tmp_path / "scores.tsv", protocol, tmp_path / "calibration.json")


# The command


def test_every_file_is_judged_or_named_and_the_exit_status_tells(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = write(tmp_path / "audio" / "good.wav", noise(5_000)), tmp_path / "audio" / "bad.wav"
    bad.write_bytes(b"no audio")
    (tmp_path / "audio" / "notes.txt").touch()
    with pytest.raises(SystemExit) as ended:
        main(["score", str(tmp_path / "audio"), "--model", str(model), "--device", "cpu", "--threads", "1"])
    assert ended.value.code == 1
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{bad}: not judged: cannot be decoded")
    assert second.startswith(f"{good}: ")
    assert "uncalibrated; lowest of 2 windows" in second
    assert rest[0] == "1 of 2 files judged. Skipped files that are hidden or have no audio suffix: 1."
    assert rest[1].startswith("Scores above 0 are judged bona fide: uncalibrated")
    assert rest[2].endswith("the mean over windows of 0.25 s.")


def test_a_calibration_in_the_model_folder_is_used(model: Path, tmp_path: Path, capsys) -> None:
    folder = write_model(tmp_path / "model")
    verdicts.write(folder / verdicts.CALIBRATION, DEV)
    path = write(tmp_path / "x.wav", noise(5_000))
    main(["score", str(path), "--model", str(folder), "--json", "--device", "cpu", "--threads", "1"])
    printed = json.loads(capsys.readouterr().out)
    (row,) = printed["judged"]
    assert row["llr"] == pytest.approx(2 * row["score"] + 3)
    assert row["probability"] == pytest.approx(1 / (1 + math.exp(-row["llr"])))
    assert row["verdict"] == ("bona fide" if row["llr"] > 0 else "spoof")
    assert row["lowest_window"] in row["windows"]
    assert printed["threshold"] == -1.5
    assert printed["not_judged"] == []


@pytest.mark.parametrize("name", verdicts.RULES)
@pytest.mark.parametrize("form", PUBLISHED_SCORES)
def test_every_threshold_and_published_form_can_be_asked_for(
    name: str, form: str, model: Path, tmp_path: Path, capsys
) -> None:
    verdicts.write(tmp_path / "dev.json", DEV)
    path = write(tmp_path / "x.wav", noise(5_000))
    arguments = [
        path,
        "--model",
        model,
        "--calibration",
        tmp_path / "dev.json",
        "--threshold",
        name,
        "--published",
        form,
    ]
    main(["score", *map(str, arguments), "--device", "cpu", "--threads", "1"])
    printed = capsys.readouterr().out
    assert f"{verdicts.rule(name, DEV, Path()).threshold:.4g} are judged bona fide" in printed
    assert "as published" in printed


def test_a_line_says_what_is_known_of_a_file() -> None:
    windows = [Window(0.0, 1.0), Window(4.0375, -2.0)]
    judgment = Judgment(Path("x.wav"), 8.0, 7, -0.5, windows, 0.25)
    assert Texts(verdicts.rule("llr", DEV, Path()), DEV, WINDOW).line(judgment) == (
        "x.wav: bona fide (score -0.5; LLR 2, P(bona fide) 0.8808 at equal priors; as published 0.25; "
        "lowest of 2 windows -2 at 4.04 s; 7 samples clipped)"
    )


def judgment_of(score: float) -> Judgment:
    return Judgment(Path("x.wav"), 1.0, 0, score, [Window(0.0, score)], None)


@pytest.mark.parametrize(("score", "beyond"), [(-2.1, True), (-2.0, False), (3.0, False), (3.1, True)])
def test_a_score_beyond_those_of_dev_is_said_to_be(score: float, beyond: bool) -> None:
    scores, bonafide = np.array([3.0, 1.0, 2.0, -1.0, 1.5, -2.0]), np.array([1, 1, 1, 0, 0, 0], dtype=bool)
    dev = verdicts.dev_result(scores, bonafide)
    texts = Texts(verdicts.rule(None, dev, Path()), dev, WINDOW)
    assert ("; beyond all dev scores, so extrapolated" in texts.line(judgment_of(score))) == beyond
    printed = json.loads("".join(texts.json_pieces([judgment_of(score)])))
    assert printed["judged"][0]["beyond_dev"] == beyond


@pytest.mark.parametrize(("score", "probability"), [(-1000.0, 0.0), (-1.5, 0.5), (1000.0, 1.0)])
def test_probabilities_of_extreme_scores_are_numbers(score: float, probability: float) -> None:
    texts = Texts(verdicts.rule("llr", DEV, Path()), DEV, WINDOW)
    printed = json.loads("".join(texts.json_pieces([judgment_of(score)])))
    assert printed["judged"][0]["probability"] == probability


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_in_pieces_is_the_json_of_the_whole(count: int) -> None:
    texts = Texts(verdicts.rule("llr", DEV, Path()), DEV, WINDOW)
    outcomes = [Failure(Path("b.wav"), "no\naudio"), *map(judgment_of, range(count)), Failure(Path("c.wav"), "x")]
    text = "".join(texts.json_pieces(outcomes))
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    assert [row["score"] for row in json.loads(text)["judged"]] == list(range(count))
    assert [row["path"] for row in json.loads(text)["not_judged"]] == ["b.wav", "c.wav"]


@pytest.mark.long
def test_a_front_end_that_is_absent_or_elsewhere(tmp_path: Path, capsys) -> None:
    import transformers

    config = transformers.Wav2Vec2Config(**SMALL_SSL)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "w2v2")
    front_end = {"name": "wav2vec2", "weights": str(tmp_path / "w2v2"), "layer": 1}
    small = {"name": "aasist", "projection": 24, "channels": [4, 8], "graph_dims": [8, 4]}
    folder = write_model(tmp_path / "model", DetectorSettings(front_end, small))
    (tmp_path / "w2v2").rename(tmp_path / "moved")
    arguments = ["score", str(write(tmp_path / "x.wav", noise(5_000))), "--model", str(folder), "--threads", "1"]
    with pytest.raises(SystemExit, match="(?s)w2v2' cannot be loaded.*fetch config.json.*--front-end"):
        main(arguments)
    main([*arguments, "--front-end", str(tmp_path / "moved")])
    assert "1 of 1 files judged." in capsys.readouterr().out
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path / "other")
    with pytest.raises(
        SystemExit, match="trained on front-end weights .* but found .*give the weights used in training"
    ):
        main([*arguments, "--front-end", str(tmp_path / "other")])


def test_a_front_end_for_a_model_that_has_none_is_refused(model: Path) -> None:
    with pytest.raises(models.ModelError, match="its front-end mel takes no weights; give none"):
        Judge(model, CPU, front_end_weights="facebook/wav2vec2-xls-r-300m")
