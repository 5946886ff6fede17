"""Scores of folders: one table that `verify` and `eer` read, the same bytes however it was made, or no table at all."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from small_detectors import write_model, write_noise

from codecfake.__main__ import main
from codecfake.base import files
from codecfake.scoring import judging, reading
from codecfake.scoring.audio_files import audio_files, trial_ids
from codecfake.scoring.judging import Judge, Judgment

ON_CPU = ("--device", "cpu", "--threads", "1")
CPU = torch.device("cpu")
LARGEST_CHANGE = 1e-4  # of a score by batches: rounding of single precision


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for number in range(6):
        write_noise(tmp_path / f"audio/{'ab'[number % 2]}/u{number}.flac", number, 1_700 + 3_000 * number)
    return tmp_path / "audio"


def score(*arguments: object) -> None:
    main(["score", *map(str, arguments), *ON_CPU])


def test_a_table_has_every_file_by_its_path_within_the_folder_and_is_sealed(
    model: Path, audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(audio, "--model", model, "--output", tmp_path / "out/scores.tsv", "--json")
    rows = json.loads(capsys.readouterr().out)["judged"]
    table = files.read_tsv(tmp_path / "out/scores.tsv")
    assert list(table.columns) == ["trial_id", "score"]
    assert table["trial_id"].tolist() == ["a/u0", "a/u2", "a/u4", "b/u1", "b/u3", "b/u5"]
    assert table["score"].astype(float).tolist() == pytest.approx([row["score"] for row in rows], rel=1e-8)
    assert files.sealed_sha256(tmp_path / "out/scores.tsv") == files.sha256(tmp_path / "out/scores.tsv")


def test_verify_and_eer_read_the_table(
    model: Path, audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "scores.tsv"
    score(audio, "--model", model, "--output", output)
    keys = ["bonafide", "spoof"] * 3
    files.write_tsv(tmp_path / "keys.tsv", pd.DataFrame({"trial_id": [f"u{n}" for n in range(6)], "key": keys}))
    capsys.readouterr()
    main(["eer", str(output), "--protocol", str(tmp_path / "keys.tsv"), "--resamples", "0", "--json"])
    (answer,) = json.loads(capsys.readouterr().out)["files"]
    assert (answer["num_bonafide"], answer["num_spoof"]) == (3, 3)
    with pytest.raises(SystemExit):  # six trials are too few for verify
        main(["verify", str(output), "--protocol", str(tmp_path / "keys.tsv")])
    lines = capsys.readouterr().out.splitlines()
    faults = [line.split()[1] for line in lines if line.startswith("fault")]
    assert set(faults) == {"short"}
    assert any(line.startswith("computed") and f"{answer['eer_percent']:.1f}" in line for line in lines)


def test_a_score_depends_on_its_file_alone(model: Path, audio: Path) -> None:
    """One window at a time: neither the order nor the company of files changes a bit."""
    judge, paths = Judge(model, CPU), audio_files([audio]).paths
    forward = list(judging.judge_files(judge, paths))
    backward = list(judging.judge_files(judge, paths[::-1]))
    assert forward == backward[::-1] == [judge(path) for path in paths]


@pytest.mark.parametrize("batch_size", [2, 3, 64])
def test_batches_change_scores_by_rounding_alone_and_lose_no_window(model: Path, audio: Path, batch_size: int) -> None:
    paths = [*audio_files([audio]).paths, audio / "missing.wav", audio / "a/u0.flac"]
    single = list(judging.judge_files(Judge(model, CPU), paths))
    several = list(judging.judge_files(Judge(model, CPU, batch_size=batch_size), paths))
    assert [outcome.path for outcome in several] == paths
    assert single[-2] == several[-2]
    for one, other in zip(single, several, strict=True):
        if isinstance(one, Judgment):
            assert isinstance(other, Judgment)
            changes = [abs(a.score - b.score) for a, b in zip(one.windows, other.windows, strict=True)]
            assert max(changes) <= LARGEST_CHANGE


def test_a_batch_that_fails_is_scored_window_by_window(
    model: Path, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, paths = Judge(model, CPU, batch_size=4), audio_files([audio]).paths
    logits = Judge.logits

    def little_memory(self: Judge, windows: list[np.ndarray]) -> torch.Tensor:
        if len(windows) > 1:
            raise RuntimeError("out of memory")
        return logits(self, windows)

    monkeypatch.setattr(Judge, "logits", little_memory)
    assert list(judging.judge_files(judge, paths)) == [judge(path) for path in paths]


@pytest.mark.long
def test_reading_processes_change_no_byte(model: Path, audio: Path, tmp_path: Path) -> None:
    for workers in (0, 1, 2):
        score(audio, "--model", model, "--output", tmp_path / f"{workers}.tsv", "--workers", workers)
    tables = {(tmp_path / f"{workers}.tsv").read_bytes() for workers in (0, 1, 2)}
    assert len(tables) == 1


def test_few_files_are_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of files."""
    from concurrent.futures import Future

    class Pool:
        started = 0

        def __init__(self, *_: object, **__: object) -> None: ...

        def schedule(self, _: object, args: tuple[Path]) -> "Future[Path]":
            Pool.started += 1
            future: Future[Path] = Future()
            future.set_result(args[0])
            return future

        def stop(self) -> None: ...

        def join(self) -> None: ...

    monkeypatch.setattr(reading, "ProcessPool", Pool)
    paths = [Path(str(number)) for number in range(1000)]
    for number, path in enumerate(reading.read_all(paths, workers=2)):
        assert path == paths[number]
        assert Pool.started <= number + 2 * reading.FILES_AHEAD
    assert Pool.started == 1000


def test_a_bad_file_is_named_and_the_others_are_in_the_table(
    model: Path, audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (audio / "a/bad.wav").write_bytes(b"no audio")
    with pytest.raises(SystemExit) as ended:
        score(audio, "--model", model, "--output", tmp_path / "scores.tsv")
    assert ended.value.code == 1
    assert len(files.read_tsv(tmp_path / "scores.tsv")) == 6
    printed = capsys.readouterr()
    assert f"{audio / 'a/bad.wav'}: not judged: cannot be decoded" in printed.out
    assert "score: " in printed.err  # the progress


def test_where_no_file_has_a_score_there_is_no_table(model: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    with pytest.raises(SystemExit, match="scores.tsv: not written, since no file has a score"):
        score(tmp_path / "bad.wav", "--model", model, "--output", tmp_path / "scores.tsv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.wav"]


def test_ctrl_c_leaves_no_half_file_and_an_earlier_table_as_it_was(
    model: Path, audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scores.tsv").write_text("an earlier one")
    read, count = reading.read, iter(range(100))

    def interrupted(path: Path) -> object:
        if next(count) == 3:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(reading, "read", interrupted)
    with pytest.raises(SystemExit) as ended:
        score(audio, "--model", model, "--output", tmp_path / "scores.tsv")
    assert ended.value.code == 130
    assert (tmp_path / "scores.tsv").read_text() == "an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio", "scores.tsv"]


def test_two_files_of_one_trial_id_are_refused_before_the_first_is_scored(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/x.wav", "b/x.wav"):
        write_noise(tmp_path / name)
    with pytest.raises(SystemExit, match="a/x.wav and .*b/x.wav would have the same trial id 'x'.*folder above both"):
        score(tmp_path / "a", tmp_path / "b", "--model", model, "--output", tmp_path / "scores.tsv")
    assert capsys.readouterr().out == ""
    assert trial_ids(audio_files([tmp_path])) == ["a/x", "b/x"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"line\nbreak.wav", "has the character U\\+000A"),
        (b"caf\xe9.wav", "is not UTF-8"),
        (b'a".wav', "quotation mark"),
        (b" a.wav", "begins or ends with a blank"),
    ],
)
def test_a_name_that_no_table_can_have_is_refused(name: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(name)).touch()
    with pytest.raises(ValueError, match=f"{reason}.*; rename the file"):
        trial_ids(audio_files([tmp_path]))


@pytest.mark.parametrize(
    ("output", "message"),
    [("scores.csv", "a name that ends in .tsv"), ("folder.tsv", "this is a folder"), ("x.tsv", "would overwrite this")],
)
def test_an_output_that_cannot_be_a_table_is_refused_before_the_first_file_is_scored(
    output: str, message: str, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.tsv").mkdir()
    soundfile.write(tmp_path / "x.tsv", np.zeros(5_000), 16_000, format="WAV")
    content = (tmp_path / "x.tsv").read_bytes()
    with pytest.raises(SystemExit, match=message):
        score(tmp_path / "x.tsv", "--model", model, "--output", tmp_path / output)
    assert (tmp_path / "x.tsv").read_bytes() == content
