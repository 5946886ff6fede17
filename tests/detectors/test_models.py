"""Model folders: read back whole, or refused with the file and the remedy."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save as serialize

from codecfake.base import files
from codecfake.detectors import models
from codecfake.detectors.detector import Detector
from codecfake.detectors.models import ModelError
from codecfake.detectors.settings import DetectorSettings
from codecfake.scoring import verdicts

CPU = torch.device("cpu")
SETTINGS = DetectorSettings({"name": "mel"}, {"name": "lcnn", "width": 0.125})
RECORD: dict[str, Any] = {
    "front_end_weights": "none", "settings": {"detector": SETTINGS.complete(), "crop_samples": 16_000}
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    detector = Detector(SETTINGS, 16_000)
    record = {**RECORD, "front_end_weights": detector.front_end_weights()}
    models.save(tmp_path / "model", detector.own_state(), record)
    (tmp_path / "model" / f"{models.SETTINGS}.sha256").unlink()  # a seal would refuse what these tests write
    return tmp_path / "model"


def test_a_model_folder_is_read_back(model: Path) -> None:
    assert models.load(model, CPU)[1] == 16_000


def settings_with(**changes: Any) -> str:
    return json.dumps({"front_end_weights": "none", "settings": {**RECORD["settings"], **changes}})


WIDE = {**SETTINGS.complete(), "back_end": {"name": "lcnn", "width": 1e9}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(RECORD)[:80], "damaged: not JSON"),
        ("", "damaged: not JSON"),
        ("[]", "damaged: a JSON object is needed, not a list"),
        ("{}", "damaged: it has no settings of a detector"),
        ('{"settings": {"detector": {}}}', "damaged: it does not name the weights of the front-end"),
        (settings_with(crop_samples="a"), "crop_samples is 'a', not a whole number from 1 to 9600000"),
        (settings_with(crop_samples=-5), "crop_samples is -5, not a whole number"),
        (settings_with(crop_samples=16_000_000_000), "crop_samples is 16000000000, not a whole number"),
        (settings_with(crop_samples=100), "no detector has these settings"),
        (settings_with(detector={}), "no detector has these settings"),
        (settings_with(detector=WIDE), "no detector has these settings"),
    ],
    ids=lambda text: text[-30:],
)
def test_damaged_settings_are_refused_with_the_file_and_the_remedy(text: str, message: str, model: Path) -> None:
    (model / models.SETTINGS).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        models.load(model, CPU)
    assert str(error.value).startswith(f"{model / models.SETTINGS}: ")
    assert message in str(error.value)
    assert str(error.value).endswith("; restore it, or train or import the detector again")


def test_settings_of_other_weights_are_refused_with_the_tensor(model: Path) -> None:
    record = json.loads((model / models.SETTINGS).read_text(encoding="utf-8"))
    record["settings"]["crop_samples"] = 8000
    (model / models.SETTINGS).write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"weights.safetensors: back_end.* is \[.*\], but settings.json needs \[.*restore"
    ):
        models.load(model, CPU)


@pytest.mark.parametrize("change", ["half", "empty", "huge header", "header alone"])
def test_damaged_weights_without_their_seal_are_refused_with_the_file_and_the_remedy(change: str, model: Path) -> None:
    path = model / models.WEIGHTS
    whole = path.read_bytes()
    files.seal_of(path).unlink()
    damaged = {
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "huge header": struct.pack("<Q", 2**62) + whole[8:],
        "header alone": struct.pack("<Q", 2) + b"{}",
    }
    path.write_bytes(damaged[change])
    with pytest.raises(ModelError, match=f"^{path}: .*(restore it, or train|train or import it again)"):
        models.load(model, CPU)


def test_names_of_tensors_are_shown_without_control_characters(model: Path) -> None:
    files.seal_of(model / models.WEIGHTS).unlink()
    (model / models.WEIGHTS).write_bytes(serialize({"\x1b[2J": torch.zeros(1)}))
    with pytest.raises(ModelError, match=r"first is \\x1b\[2J"):
        models.load(model, CPU)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"eer": 0', "damaged: not JSON"), ("[]", "a JSON object is needed"), ("{}", "setting 'eer' is missing")],
)
def test_a_damaged_calibration_is_refused_with_the_file_and_the_remedy(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text(text, encoding="utf-8")
    with pytest.raises(
        ValueError, match=f"(?s)calibration.json: .*{message}.*write it again with `codecfake calibrate`"
    ):
        verdicts.read(tmp_path / "calibration.json")
