"""Which layers of a self-supervised front-end a detector learned to use, read from its weights without torch."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.training import TrainedModel

# Scalars of which a softmax gives the weights. Gates such as those of SEA and SLS depend on the recording: no file has
# them.
LEARNED = {
    "aggregation.weight_hidd": "weighted sum",
    "back_end.weights_k": "MHFA, keys",
    "back_end.weights_v": "MHFA, values",
}
MOST_HEADER_BYTES = 100_000_000


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one model's layers, which add up to 1."""

    model: str
    what: str
    random_front_end: bool
    layers: list[str]  # 0 is the input of the first block
    shares: list[float]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The share of each layer in percent, and relative to the largest, for a bar."""
        return [(f"{100 * share:.1f}", f"{share / max(self.shares):.3f}") for share in self.shares]


def layer_weights(inputs: ReportInputs, trained_models: list[TrainedModel]) -> list[LayerWeights]:
    """The learned weights of every model that has some. Raises ReportError if a weights file is damaged."""
    tables = []
    for one in trained_models:
        path = inputs.results / "models" / one.model.name / "weights.safetensors"
        for name, scalars in _scalars(path).items():
            shares = np.exp(scalars - scalars.max())
            weights = [float(share) for share in shares / shares.sum()]
            layers = _layers(one.settings, len(weights))
            tables.append(LayerWeights(one.model.name, LEARNED[name], one.has_random_front_end, layers, weights))
    return tables


def _layers(settings: dict[str, Any], count: int) -> list[str]:
    """Numbers of layers, from 0 if the input of the first block is one of them."""
    values = settings.get("settings", {})
    detector = values.get("detector", {}) if isinstance(values, dict) else {}
    first = 0 if detector.get("front_end", {}).get("layers") == "all" else 1
    return [str(number) for number in range(first, first + count)]


def _scalars(path: Path) -> dict[str, np.ndarray]:
    """The scalars of LEARNED in a file of safetensors: a header of JSON, its length before it, then the tensors."""
    with path.open("rb") as file:
        try:
            header, start = _header(file)
            return {name: _scalar(file, start, header[name]) for name in LEARNED if name in header}
        except (struct.error, ValueError, TypeError, KeyError) as error:
            raise ReportError(f"{path}: damaged: not safetensors ({error}); restore it, or train again") from error


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The header, and where the tensors begin."""
    (length,) = struct.unpack("<Q", file.read(8))
    if length > MOST_HEADER_BYTES:
        raise ValueError(f"its header would have {length} bytes")
    return json.loads(file.read(length)), 8 + length


def _scalar(file: BinaryIO, start: int, entry: dict[str, Any]) -> np.ndarray:
    first, end = entry["data_offsets"]
    file.seek(start + first)
    values = np.frombuffer(file.read(end - first), "<f4").astype(np.float64)
    if entry["dtype"] != "F32" or not 0 < len(values) == math.prod(entry["shape"]):
        raise ValueError("the weights of layers are not float32 of their shape")
    return values
