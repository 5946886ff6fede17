"""Which detector `score` takes: the shipped one by default, a folder, a hub id; nonsense is answered in words."""

import json
import warnings
from pathlib import Path

import pytest
from small_detectors import write_model, write_noise, write_shipped

import codecfake
from codecfake.__main__ import main
from codecfake.base.files import FileError
from codecfake.detectors import models, shipped_models
from codecfake.detectors.shipped_models import DEFAULT, ShippedModelError
from codecfake.scoring import model_sources
from codecfake.scoring.model_sources import SourceError

ON_CPU = ("--device", "cpu", "--threads", "1")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the detectors that the package ships."""
    monkeypatch.setattr(shipped_models, "SHIPPED", tmp_path / "shipped")
    return write_shipped(tmp_path / "shipped")


@pytest.fixture
def none_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_models, "SHIPPED", tmp_path / "shipped")


def test_without_a_model_the_shipped_one_scores_and_every_verdict_says_that_it_is_a_demonstration(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["score", str(write_noise(tmp_path / "x.wav")), *ON_CPU])
    notice, line, *_ = capsys.readouterr().out.splitlines()
    assert notice.startswith("Demonstration: ") and "do not rely on its verdicts" in notice
    assert f"`codecfake score --card`, or {shipped / 'card.md'}" in notice
    assert line.startswith(f"{tmp_path / 'x.wav'}: ") and "(demonstration; score " in line


def test_json_of_a_demonstration_says_so_and_that_of_another_model_does_not(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = str(write_noise(tmp_path / "x.wav"))
    for options, is_demonstration in ((["--model", str(shipped)], True), (["--model", str(tmp_path / "m")], False)):
        write_model(tmp_path / "m")
        main(["score", audio, "--json", *options, *ON_CPU])
        printed = json.loads(capsys.readouterr().out)
        assert printed["demonstration"] is printed["judged"][0]["demonstration"] is is_demonstration
        assert printed["card"] == (str(shipped / "card.md") if is_demonstration else None)


def test_the_card_is_printed_alone(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["score", "--card"])
    assert capsys.readouterr().out == "# A stand-in\n\nIt is random.\n"


def test_shipped_models_are_listed(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "models", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {"name": DEFAULT, "about": "A stand-in", "default": True, "folder": str(shipped)}


def test_where_none_is_shipped_the_list_and_the_error_say_so(
    none_shipped: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["list", "models"])
    assert capsys.readouterr().out == "None come with this installation.\n"
    with pytest.raises(SystemExit, match=f"has no detector '{DEFAULT}', the default .* name a detector with --model"):
        main(["score", "x.wav"])
    with pytest.raises(ShippedModelError, match="has no detector"):
        codecfake.load_detector()


@pytest.mark.parametrize("name", ["card.md", "weights.safetensors", "calibration.json", "settings.json.sha256"])
def test_a_shipped_detector_that_lacks_a_file_is_refused(shipped: Path, name: str) -> None:
    (shipped / name).unlink()
    with pytest.raises(ShippedModelError, match=f"lacks {name}; install codecfake again"):
        model_sources.find(None, {})


@pytest.mark.parametrize("name", ["weights.safetensors", "settings.json", "calibration.json"])
def test_a_shipped_detector_whose_digest_differs_is_refused(shipped: Path, name: str) -> None:
    with (shipped / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(FileError, match=f"{name}: damaged"):
        model_sources.find(DEFAULT, {})


def test_the_python_function_has_the_same_default_and_warns(shipped: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Demonstration: .*do not rely"):
        detector = codecfake.load_detector(threads=1)
    assert detector.is_demonstration and detector.card.startswith("# A stand-in")
    assert detector.score_files([write_noise(tmp_path / "x.wav")])["demonstration"].tolist() == [True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not codecfake.load_detector(write_model(tmp_path / "m"), threads=1).is_demonstration


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", "'': no such model folder; name a folder with weights.safetensors and settings.json, or a hub id"),
        ("demonstratoin", "no such model folder; unknown shipped detector .* did you mean 'demonstration'"),
        ("no/such/folder", "'no/such/folder': no such model folder; name a folder"),
        ("../elsewhere", "no such model folder"),
        ("a b/c", "no such model folder"),
        ("empty", "empty: no weights.safetensors; train the detector first, or import a released one"),
        ("file.pth", "file.pth: a file, not a model folder.*codecfake import-checkpoint file.pth --detector NAME"),
        ("m/weights.safetensors", "a part of a model folder; name the folder: --model m"),
        ("hf:nonsense", "hf:nonsense: not a hub id; write hf:OWNER/NAME"),
        ("hf:../..", "not a hub id"),
    ],
)
def test_nonsense_is_answered_with_what_was_meant(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.pth").write_bytes(b"PK")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/weights.safetensors").write_bytes(b"")
    with pytest.raises(SystemExit, match=message):
        main(["score", str(write_noise(tmp_path / "x.wav")), "--model", model, *ON_CPU])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no files to score; name audio files"),
        (["--card", "x.wav"], "--card prints the card alone"),
        (["x.wav", "--batch-size", "0"], "0 is below 1"),
        (["x.wav", "--workers", "-1"], "-1 is below 0"),
        (["x.wav", "--workers", "many"], "invalid count value: 'many'"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_file_is_read(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["score", *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_model_without_a_card_says_how_to_give_it_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has no card.md; write one"):
        model_sources.find(write_model(tmp_path / "m"), {}).read_card()


def test_the_sealed_files_are_those_of_model_folders() -> None:
    assert {models.WEIGHTS, models.SETTINGS} < set(shipped_models.SEALED)
