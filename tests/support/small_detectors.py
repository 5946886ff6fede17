"""Small detectors with random weights, in model folders as training writes them, and files for them."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from codecfake.detectors import models, shipped_models
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.scoring import verdicts
from codecfake.scoring.calibration import Calibration
from codecfake.scoring.verdicts import DevResult

WINDOW = 4_000
MEL_LCNN = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125})
DEV = DevResult(eer=0.1, eer_threshold=0.5, calibration=Calibration(2.0, 3.0, 0.5, 20, 30))  # LLR 0 at -1.5


def write_model(folder: Path, **settings: Any) -> Path:
    """A log-mel LCNN for windows of a quarter of a second."""
    torch.manual_seed(0)
    detector = Detector(MEL_LCNN, WINDOW)
    values = {"detector": MEL_LCNN.complete(), "crop_samples": WINDOW, "pad": "repeat", **settings}
    models.save(folder, detector.own_state(), {"front_end_weights": detector.front_end_weights(), "settings": values})
    return folder


def write_shipped(place: Path, name: str = shipped_models.DEFAULT) -> Path:
    """A stand-in for a shipped detector, complete with calibration and card."""
    folder = write_model(place / name)
    verdicts.write(folder / verdicts.CALIBRATION, DEV)
    (folder / shipped_models.CARD).write_text("# A stand-in\n\nIt is random.\n", encoding="utf-8")
    return folder


def write_noise(path: Path, seed: int = 0, num_samples: int = 9_001) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.3, 0.3, num_samples), 16_000)
    return path
