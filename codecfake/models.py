"""Model folders: everything that scoring needs of a trained detector.

`weights.safetensors` holds the back-end, and a random front-end; pretrained front-end weights stay where they
are, and `settings.json` names them with their sha256.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from codecfake import files, settings
from codecfake.detectors.detector import Detector, DetectorSettings

WEIGHTS, SETTINGS = "weights.safetensors", "settings.json"


class ModelError(ValueError):
    """A model folder cannot be used."""


def save(folder: Path, state: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write a model folder; `record` has `settings.detector`, `settings.crop_samples` and `front_end_weights`."""
    with files.atomic(folder / WEIGHTS) as part:
        save_file({name: tensor.cpu().contiguous() for name, tensor in state.items()}, part)
    files.write_text(folder / SETTINGS, json.dumps(record, indent=2) + "\n")


def load(folder: Path, device: torch.device) -> tuple[Detector, int]:
    """The detector of a model folder, ready to score, and the number of samples in its clips.

    Raises ModelError if a file is missing or the pretrained front-end is not the one of training.
    """
    for name in (WEIGHTS, SETTINGS):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: no {name}; train the detector first")
    record = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    crop_samples = record["settings"]["crop_samples"]
    detector = Detector(settings.build(DetectorSettings, record["settings"]["detector"]), crop_samples)
    if detector.front_end_weights() != record["front_end_weights"]:
        raise ModelError(
            f"{folder}: trained on front-end weights {record['front_end_weights']}, but found "
            f"{detector.front_end_weights()}; give the weights of training"
        )
    _fill(detector, folder / WEIGHTS)
    return detector.to(device).eval(), crop_samples


def _fill(detector: Detector, path: Path) -> None:
    given, wanted = load_file(path), detector.own_state()
    if set(given) != set(wanted):
        odd = sorted(set(given) ^ set(wanted))
        raise ModelError(f"{path}: {len(odd)} tensors too few or too many, the first is {odd[0]}; train again")
    detector.load_state_dict(given, strict=False)
