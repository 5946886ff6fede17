"""`score` judges or names every file of a folder, whatever its name, and counts what it leaves out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from places import ROOT

from codecfake.audio.waveforms import AudioError
from codecfake.detectors import models
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.scoring import reading
from codecfake.scoring.audio_files import LeftOut, audio_files
from codecfake.scoring.reading import Failure

WINDOW = 4_000
NAMES = [b"a.wav", b"caf\xe9.wav", b"line\nbreak.wav", b"\x1b[31mred.wav", "дом 日.wav".encode(), b"z.wav"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    parts = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125})
    detector = Detector(parts, WINDOW)
    settings = {"detector": parts.complete(), "crop_samples": WINDOW, "pad": "repeat"}
    folder = tmp_path_factory.mktemp("model")
    models.save(folder, detector.own_state(), {"front_end_weights": detector.front_end_weights(), "settings": settings})
    return folder


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    folder = tmp_path / "audio"
    folder.mkdir()
    wav = np.random.default_rng(0).uniform(-0.3, 0.3, 5_000)
    for name in NAMES:
        soundfile.write(tmp_path / "x.wav", wav, 16_000)
        os.rename(tmp_path / "x.wav", os.fsencode(folder) + b"/" + name)  # noqa: PTH104 (bytes)
    return folder


def score(folder: Path, model: Path, encoding: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "codecfake", "score", str(folder), "--model", str(model)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(
        [*command, "--device", "cpu", "--threads", "1", *options], cwd=ROOT, env=environment, capture_output=True
    )


@pytest.mark.parametrize("encoding", [pytest.param("utf-8:strict", marks=pytest.mark.long), "ascii:strict"])
def test_every_name_is_judged_and_printed_in_one_line(audio: Path, model: Path, encoding: str) -> None:
    process = score(audio, model, encoding)
    assert process.returncode == 0, process.stderr
    lines = process.stdout.decode(encoding.partition(":")[0]).splitlines()
    assert sum("uncalibrated; lowest of 2 windows" in line for line in lines) == len(NAMES)
    assert f"{len(NAMES)} of {len(NAMES)} files judged." in lines
    assert any(r"caf\udce9.wav: " in line for line in lines)
    assert any(r"line\nbreak.wav: " in line for line in lines)
    assert b"\x1b" not in process.stdout


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_json_is_valid_and_has_the_very_names(audio: Path, model: Path, encoding: str) -> None:
    process = score(audio, model, encoding, "--json")
    assert process.returncode == 0, process.stderr
    paths = [row["path"] for row in json.loads(process.stdout)["judged"]]
    assert sorted(os.fsencode(Path(path).name) for path in paths) == sorted(NAMES)
    assert b"\x1b" not in process.stdout


def test_links_devices_and_pipes_are_counted_and_named(audio: Path, tmp_path: Path) -> None:
    (audio / "dangling.wav").symlink_to(tmp_path / "nowhere.wav")
    (audio / "device.wav").symlink_to("/dev/null")
    (audio / "loop.wav").symlink_to("loop.wav")
    (audio / "again").symlink_to(audio)
    (audio / "good.wav").symlink_to(audio / "a.wav")
    os.mkfifo(audio / "pipe.wav")
    listing = audio_files([audio])
    assert len(listing.paths) == len(NAMES) + 1
    names = ["again", "dangling.wav", "device.wav", "loop.wav", "pipe.wav"]
    assert listing.left_out == LeftOut(special=[audio / name for name in names])
    assert f"links that lead nowhere or to folders, devices and the like: 5 ({audio}/again, …)." in str(
        listing.left_out
    )


def test_a_folder_of_dangling_links_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.wav").symlink_to(tmp_path / "nowhere.wav")
    with pytest.raises(AudioError, match="none of its 0 files has an audio suffix .Skipped links that lead nowhere"):
        audio_files([tmp_path])


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.wav").touch()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = audio_files([tmp_path])
    assert listing.paths == [tmp_path / "a.wav"]
    assert str(listing.left_out) == f"Cannot read {tmp_path / 'closed'} (Permission denied)."


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), RuntimeError("out of memory"), UnicodeError("x")])
def test_a_file_that_raises_anything_does_not_lose_the_others(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waveform(path: Path) -> object:
        if path.name == "b":
            raise error
        return path

    monkeypatch.setattr(reading, "waveform", waveform)
    outcomes = list(reading.read_all([Path("a"), Path("b"), Path("c")]))
    assert outcomes == [Path("a"), Failure(Path("b"), f"{type(error).__name__}: {error}"), Path("c")]
