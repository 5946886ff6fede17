"""Golden vectors of back-ends and aggregations that papers of today compare with: their inputs, and our networks."""

import hashlib
import zlib
from typing import Any

import numpy as np
import torch
from golden_vectors import Vector, assert_close, assert_logits
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.settings import AGGREGATIONS, BACK_ENDS

# twice the facts' limit, which is that of other kernels of the same version of torch
LIMIT = 2e-5


def filled(name: str, shape: FeatureShape, weights: dict[str, Tensor], **settings: Any) -> Any:
    """A back-end or aggregation with exactly these weights."""
    entry = (BACK_ENDS if name in BACK_ENDS else AGGREGATIONS).part(name)
    model: nn.Module = entry.load()(shape, entry.build_settings(settings))
    model.load_state_dict(weights | computed(model))
    return model.eval()


def under(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): tensor for key, tensor in weights.items() if key.startswith(prefix)}


def computed(model: nn.Module) -> dict[str, Tensor]:
    """Buffers that the vectors keep as they were built."""
    return {name: tensor for name, tensor in model.state_dict().items() if name.endswith("positional_emb")}


def stored(vector: Vector, key: str) -> Tensor:
    return torch.from_numpy(vector[key].astype(np.float32))


def layers_by_rule(vector: Vector, key: str, shape: tuple[int, ...]) -> Tensor:
    """The input that the JSON gives by rule, `[B, L, F, D]`: halved, plus an offset of layer and dimension."""
    seed = vector.about["seed"]
    offsets = (1, shape[1], 1, shape[3])
    layers = 0.5 * _normal(f"{seed}:input.{key}", shape) + _normal(f"{seed}:input.layer_offset", offsets)
    array = layers.astype(np.float32)
    assert hashlib.sha256(array.tobytes()).hexdigest() == vector.about["input_sha256"][key]
    return torch.from_numpy(array)


def _normal(key: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)


def check(vector: Vector, **outputs: Tensor) -> None:
    """Compare outputs with the arrays of these names; logits by the limit for logits."""
    for key, output in outputs.items():
        if key.endswith(("logits", "log_probs", "_out")):
            assert_logits(output, vector[key])
        else:
            assert_close(output, vector[key], LIMIT)
