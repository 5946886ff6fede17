"""Model folders: everything that scoring needs from a trained detector.

`weights.safetensors` holds the back-end, and a random, fine-tuned or imported front-end; pretrained front-end weights
stay where they are, and `settings.json` names them with their sha256.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor

from codecfake.base import files, json_texts, settings
from codecfake.base.json_texts import JsonError
from codecfake.base.printing import excerpt
from codecfake.base.spelling import as_yaml
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.detector import Detector
from codecfake.detectors.front_end_settings import INCLUDED
from codecfake.detectors.settings import DetectorSettings
from codecfake.detectors.ssl import FrontEndWeightsError

WEIGHTS, SETTINGS = "weights.safetensors", "settings.json"
CLASSES = "classes"  # in the record of a model that traces sources: class -> its sources
REGRESSION = "regression"  # in place of it: the quantity that a model predicts, and its value for each source
REMEDY = "restore it, or train or import the detector again"
MOST_CROP_SAMPLES = 16_000 * 600


class ModelError(ValueError):
    """A model folder cannot be used."""


def save(folder: Path, state: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write a model folder; `record` has `settings.detector`, `settings.crop_samples` and `front_end_weights`."""
    files.write_bytes(folder / WEIGHTS, serialize({name: tensor.cpu().contiguous() for name, tensor in state.items()}))
    files.write_text(folder / SETTINGS, json.dumps(record, indent=2) + "\n")


def load(folder: Path, device: torch.device, front_end_weights: str | None = None) -> tuple[Detector, int]:
    """The detector of a model folder, ready to score, and the number of samples in its clips.

    `front_end_weights` is the folder or hub id of the pretrained front-end, if it has moved since training.

    Raises ModelError if a file is missing, the pretrained front-end differs from the one in training, or the model
    traces sources; and FileError if the weights differ from those that were saved.
    """
    record = read_record(folder)
    if _traces(record):
        raise ModelError(f"{folder}: this model traces sources and gives no scores; choose a detector")
    return _load(folder, record, device, front_end_weights)


def load_tracer(folder: Path, device: torch.device) -> tuple[Detector, int, dict[str, Any]]:
    """The same of a model that traces sources, and its record, with `CLASSES` or `REGRESSION`. Raises as `load`."""
    record = read_record(folder)
    if not _traces(record):
        raise ModelError(f"{folder}: this model is a detector; choose one that was trained to trace sources")
    return *_load(folder, record, device), record


def _traces(record: dict[str, Any]) -> bool:
    return CLASSES in record or REGRESSION in record


def _load(
    folder: Path, record: dict[str, Any], device: torch.device, front_end_weights: str | None = None
) -> tuple[Detector, int]:
    crop_samples = record["settings"]["crop_samples"]
    num_classes = 1 if REGRESSION in record else len(record.get(CLASSES, (SPOOF, BONAFIDE)))
    values = _settings(folder, record, front_end_weights)
    detector = _build(folder / SETTINGS, values, crop_samples, num_classes)
    weights = detector.front_end_weights()
    if weights != INCLUDED and _sha256(weights) != _sha256(record["front_end_weights"]):
        raise ModelError(
            f"{folder}: trained on front-end weights {record['front_end_weights']}, but found "
            f"{weights}; give the weights used in training"
        )
    _fill(detector, folder / WEIGHTS)
    return detector.to(device).eval(), crop_samples


def read_record(folder: Path) -> dict[str, Any]:
    """The record that `save` wrote. Raises ModelError if a file is missing or the record is damaged."""
    for name in (WEIGHTS, SETTINGS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: no {name}; train the detector first, or import a released one")
    path = folder / SETTINGS
    files.require_seal(path)
    try:
        record = json_texts.read_object(path, REMEDY)
    except JsonError as error:
        raise ModelError(str(error)) from error
    _require_complete(path, record)
    return record


def _require_complete(path: Path, record: dict[str, Any]) -> None:
    values, weights = record.get("settings"), record.get("front_end_weights")
    if not isinstance(values, dict) or not isinstance(values.get("detector"), dict):
        raise ModelError(f"{path}: damaged: it has no settings of a detector; {REMEDY}")
    if not isinstance(weights, str) and not (isinstance(weights, dict) and isinstance(weights.get("sha256"), str)):
        raise ModelError(f"{path}: damaged: it does not name the weights of the front-end; {REMEDY}")
    samples = values.get("crop_samples")
    if type(samples) is not int or not 1 <= samples <= MOST_CROP_SAMPLES:
        raise ModelError(
            f"{path}: damaged: crop_samples is {as_yaml(samples)}, not a whole number from 1 to {MOST_CROP_SAMPLES}; "
            f"{REMEDY}"
        )


def _build(path: Path, values: dict[str, Any], crop_samples: int, num_classes: int) -> Detector:
    """The detector of these settings, with weights at random."""
    try:
        return Detector(settings.build(DetectorSettings, values), crop_samples, num_classes)
    except FrontEndWeightsError:
        raise
    except (ValueError, RuntimeError, MemoryError) as error:  # RuntimeError: torch has no memory for it
        raise ModelError(f"{path}: no detector has these settings ({excerpt(str(error))}); {REMEDY}") from error


def _settings(folder: Path, record: dict[str, Any], front_end_weights: str | None) -> dict[str, Any]:
    """The detector's settings, with the present location of its pretrained front-end."""
    detector = record["settings"]["detector"]
    if front_end_weights is None:
        return detector
    if detector["front_end"].get("weights") == INCLUDED:
        raise ModelError(f"{folder}: its own weights contain its front-end; give no other weights of a front-end")
    if not isinstance(record["front_end_weights"], dict):
        raise ModelError(f"{folder}: its front-end {detector['front_end']['name']} takes no weights; give none")
    return {**detector, "front_end": {**detector["front_end"], "weights": front_end_weights}}


def _sha256(weights: str | dict[str, str]) -> str:
    """The sha256 of pretrained weights, whatever their location; otherwise the text of `Detector.front_end_weights`."""
    return weights["sha256"] if isinstance(weights, dict) else weights


def _fill(detector: Detector, path: Path) -> None:
    files.require_seal(path)
    tensors, state = _tensors(path), detector.own_state()
    if set(tensors) != set(state):
        odd = sorted(set(tensors) ^ set(state))
        raise ModelError(
            f"{path}: {len(odd)} tensors too few or too many, the first is {excerpt(odd[0])}; train or import it again"
        )
    for name, tensor in state.items():
        if tensors[name].shape != tensor.shape:
            shapes = f"{list(tensors[name].shape)}, but {SETTINGS} needs {list(tensor.shape)}"
            raise ModelError(f"{path}: {name} is {shapes}; {REMEDY}")
    # an included front-end has no memory before it is filled
    is_empty = any(tensor.is_meta for tensor in state.values())
    own = {name: tensors[name].to(tensor.dtype) for name, tensor in state.items()} if is_empty else tensors
    detector.load_state_dict(own, strict=False, assign=is_empty)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: damaged: not safetensors ({error}); {REMEDY}") from error
