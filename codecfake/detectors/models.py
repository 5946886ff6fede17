"""Model folders: everything that scoring needs from a trained detector.

`weights.safetensors` holds the back-end, and a random front-end; pretrained front-end weights stay where they
are, and `settings.json` names them with their sha256.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor

from codecfake.base import files, settings
from codecfake.detectors.detector import Detector
from codecfake.detectors.settings import DetectorSettings

WEIGHTS, SETTINGS = "weights.safetensors", "settings.json"


class ModelError(ValueError):
    """A model folder cannot be used."""


def save(folder: Path, state: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write a model folder; `record` has `settings.detector`, `settings.crop_samples` and `front_end_weights`."""
    files.write_bytes(folder / WEIGHTS, serialize({name: tensor.cpu().contiguous() for name, tensor in state.items()}))
    files.seal(folder / WEIGHTS)
    files.write_text(folder / SETTINGS, json.dumps(record, indent=2) + "\n")


def load(folder: Path, device: torch.device, front_end_weights: str | None = None) -> tuple[Detector, int]:
    """The detector of a model folder, ready to score, and the number of samples in its clips.

    `front_end_weights` is the folder or hub id of the pretrained front-end, if it has moved since training.

    Raises ModelError if a file is missing or the pretrained front-end differs from the one in training, and FileError
    if the weights differ from those that were saved.
    """
    record = read_record(folder)
    crop_samples = record["settings"]["crop_samples"]
    values = _settings(folder, record, front_end_weights)
    detector = Detector(settings.build(DetectorSettings, values), crop_samples)
    if _sha256(detector.front_end_weights()) != _sha256(record["front_end_weights"]):
        raise ModelError(
            f"{folder}: trained on front-end weights {record['front_end_weights']}, but found "
            f"{detector.front_end_weights()}; give the weights used in training"
        )
    _fill(detector, folder / WEIGHTS)
    return detector.to(device).eval(), crop_samples


def read_record(folder: Path) -> dict[str, Any]:
    """The record that `save` wrote. Raises ModelError if a file is missing."""
    for name in (WEIGHTS, SETTINGS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: no {name}; train the detector first, or import a released one")
    return json.loads((folder / SETTINGS).read_text(encoding="utf-8"))


def _settings(folder: Path, record: dict[str, Any], front_end_weights: str | None) -> dict[str, Any]:
    """The detector's settings, with the present location of its pretrained front-end."""
    detector = record["settings"]["detector"]
    if front_end_weights is None:
        return detector
    if not isinstance(record["front_end_weights"], dict):
        raise ModelError(f"{folder}: its front-end {detector['front_end']['name']} takes no weights; give none")
    return {**detector, "front_end": {**detector["front_end"], "weights": front_end_weights}}


def _sha256(weights: str | dict[str, str]) -> str:
    """The sha256 of pretrained weights, whatever their location; otherwise the text of `Detector.front_end_weights`."""
    return weights["sha256"] if isinstance(weights, dict) else weights


def _fill(detector: Detector, path: Path) -> None:
    files.require_seal(path)
    tensors, state = load_file(path), detector.own_state()
    if set(tensors) != set(state):
        odd = sorted(set(tensors) ^ set(state))
        raise ModelError(
            f"{path}: {len(odd)} tensors too few or too many, the first is {odd[0]}; train or import it again"
        )
    detector.load_state_dict(tensors, strict=False)
