"""A codec that changes nothing: its spoofs must be undetectable, or the workflow around the codecs leaks.

Its codes are the bits of the float32 samples.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.weights.loading import WeightsError
from codecfake.base import settings


@dataclass(frozen=True)
class PassthroughSettings:
    """There is nothing to choose."""


class Passthrough(Codec):
    sample_rate = None
    hop_length = 1
    num_quantizers = 1
    bits_per_code = 32.0
    context_duration = None

    def encode(self, wav: Tensor) -> Tensor:
        return wav.float().contiguous().view(torch.int32).long()[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return codes[:, 0].int().view(torch.float32)


def build(model: Mapping[str, Any]) -> Codec:
    """The codec; `model` must be empty."""
    settings.build(PassthroughSettings, model)
    return Passthrough()


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec, which has no weights. Raises WeightsError if any are given."""
    if weights is not None:
        raise WeightsError(f"{weights}: passthrough has no weights; leave them out")
    return build(model)
