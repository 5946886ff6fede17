"""Every back-end, small enough for tests of what all of them promise."""

from typing import Any

import torch
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.settings import BACK_ENDS

FRAMES, DIMENSION, LAYERS = 40, 32, 3
SMALL: dict[str, dict[str, Any]] = {
    "lcnn": {"width": 0.125},
    "aasist": {"channels": [4, 4], "graph_dims": [4, 4]},
    "sls": {"hidden": 8},
    "nes2net": {"groups": [4, 4]},
    "mhfa": {"heads": 2, "compression": 4, "embedding": 8},
    "conformer": {"dimension": 16, "blocks": 2, "heads": 2, "kernel_size": 3},
    "pooling": {},
}


def back_end(name: str, **changes: Any) -> nn.Module:
    """A back-end of the registry for the features of `features`."""
    part = BACK_ENDS.part(name)
    shape = FeatureShape(FRAMES, DIMENSION, frames_first=True, num_layers=LAYERS if part.several_layers else 1)
    return part.load()(shape, part.build_settings({**SMALL[name], **changes}))


def features(name: str, num_clips: int, generator: torch.Generator | None = None) -> Tensor:
    """Noise as the features of a back-end, `[B, F, D]` or `[B, L, F, D]`."""
    layers = (LAYERS,) if BACK_ENDS.part(name).several_layers else ()
    return torch.randn(num_clips, *layers, FRAMES, DIMENSION, generator=generator)
