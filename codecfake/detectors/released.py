"""Converts released checkpoints to model folders: the detectors of Xie et al. 2025, and AASIST and AASIST-L.

The files are read as data (`torch_files`), and every tensor must match our networks; the classes are reordered to ours:
spoof 0, bona fide 1. `PUBLISHED_SCORES` computes the score of a file as the authors' own code defines it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import codecfake
from codecfake.base import files, torch_files
from codecfake.base.regular_files import require_regular
from codecfake.detectors import BONAFIDE, models
from codecfake.detectors.detector import Detector
from codecfake.detectors.settings import DetectorSettings

CROP_SAMPLES, PAD = 64_600, "repeat"  # of every released detector
CLASSES = ("fc_mu", "out_layer")  # the last layers, with one row per class
MOST_KEYS = 3

Parts = dict[str, Any]  # of a detector: a name and settings


class ReleasedError(ValueError):
    """A released checkpoint cannot be imported."""


@dataclass(frozen=True)
class Released:
    """A published detector, and the index of its logit for bona fide speech."""

    front_end: Parts
    back_end: Parts
    bonafide_index: int


XLS_R: Parts = {"name": "wav2vec2", "weights": "facebook/wav2vec2-xls-r-300m", "layer": 5}
WAVLM: Parts = {"name": "wavlm", "weights": "microsoft/wavlm-large", "layer": 5}  # normalization: not published
RAW_AASIST: Parts = {"name": "aasist", "projection": None, "block_pool": 3, "nodes": "max"}

RELEASED: dict[str, Released] = {
    "mel-lcnn": Released({"name": "mel"}, {"name": "lcnn"}, bonafide_index=0),
    "w2v2-lcnn": Released(XLS_R, {"name": "lcnn"}, bonafide_index=0),
    "w2v2-aasist": Released(XLS_R, {"name": "aasist"}, bonafide_index=0),
    "wavlm-aasist": Released(WAVLM, {"name": "aasist"}, bonafide_index=0),
    "aasist": Released({"name": "sinc"}, {**RAW_AASIST, "pool_ratios": [0.5, 0.7, 0.5]}, bonafide_index=1),
    "aasist-l": Released(
        {"name": "sinc"},
        {**RAW_AASIST, "channels": [32, 24], "graph_dims": [24, 32], "pool_ratios": [0.4, 0.5, 0.7]},
        bonafide_index=1,
    ),
}


def _probability(logits: Tensor) -> Tensor:
    """P(bona fide) as in the code of Xie et al.: the softmax in single precision, where 1 - 1e-8 is 1."""
    return logits.softmax(dim=1)[:, BONAFIDE]


def _logit(logits: Tensor) -> Tensor:
    """Only the logit of bona fide, as in the code of AASIST."""
    return logits[:, BONAFIDE]


# Logits `[B, 2]` in our order -> `[B]`: the scores in released files, for a recording's first 64,600 samples.
# Only for comparison with those files. Our score is the difference of the logits, which does not saturate.
PUBLISHED_SCORES: dict[str, Callable[[Tensor], Tensor]] = {"softmax": _probability, "logit": _logit}


def import_checkpoint(path: Path, name: str, output: Path, front_end_weights: str | None = None) -> None:
    """Write the model folder of the released detector `name` (of RELEASED) from its `.pt`, `.pth` file.

    `front_end_weights` is the transformers folder, or hub id, of its pretrained front-end, if it has one; by default
    the published one.

    Raises UnpicklingError if the file contains more than weights, and ReleasedError if they do not fit this detector.
    """
    released = _released(name)
    require_regular(path)
    tensors = torch_files.read_state_dict(path)
    settings = DetectorSettings(_front_end(name, released, front_end_weights), released.back_end)
    detector = Detector(settings, CROP_SAMPLES)
    theirs = fit(tensors, detector.back_end.state_dict(), f"{path}: is not {name}")
    record = {
        "version": codecfake.__version__,
        "front_end_weights": detector.front_end_weights(),
        "released": {"detector": name, "file": path.name, "sha256": files.sha256(path)},
        "settings": {"detector": settings.complete(), "crop_samples": CROP_SAMPLES, "pad": PAD},
    }
    ours = bonafide_last(theirs, released.bonafide_index)
    models.save(output, {f"back_end.{key}": tensor for key, tensor in ours.items()}, record)


def fit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Copies of the tensors, in the order of `expected`.

    Raises ReleasedError unless exactly these are present and finite.
    """
    missing, strange = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or strange:
        raise ReleasedError(
            f"{where}: it lacks {_few(missing)} and has {_few(strange)} too many; "
            f"give the detector that the file belongs to: {', '.join(RELEASED)}"
        )
    for key, ours in expected.items():
        if tensors[key].shape != ours.shape or tensors[key].dtype != ours.dtype:
            raise ReleasedError(f"{where}: {key} is {_kind(tensors[key])}, but {_kind(ours)} is needed")
        if not tensors[key].isfinite().all():
            raise ReleasedError(f"{where}: {key} has values that are not finite; fetch the file again")
    return {key: tensors[key].clone() for key in expected}


def bonafide_last(tensors: Mapping[str, Tensor], bonafide_index: int) -> dict[str, Tensor]:
    """The weights with the bona fide logit of the last layer moved from `bonafide_index` to index 1."""
    if bonafide_index == BONAFIDE:
        return dict(tensors)
    return {key: rows.flip(0) if key.split(".")[0] in CLASSES else rows for key, rows in tensors.items()}


def _released(name: str) -> Released:
    if name not in RELEASED:
        raise ReleasedError(f"unknown released detector {name!r}; choose from {', '.join(RELEASED)}")
    return RELEASED[name]


def _front_end(name: str, released: Released, weights: str | None) -> Parts:
    if weights is None:
        return released.front_end
    if "weights" not in released.front_end:
        raise ReleasedError(f"{name} has the front-end {released.front_end['name']}, which takes no weights; give none")
    return {**released.front_end, "weights": weights}


def _few(keys: list[str]) -> str:
    names = f" ({', '.join(keys[:MOST_KEYS])}{', …' if len(keys) > MOST_KEYS else ''})" if keys else ""
    return f"{len(keys)} tensors{names}"


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
