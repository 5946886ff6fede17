"""A codec that changes nothing. If its spoofs can be detected, the workflow around the codecs leaks.

Its codes are the bits of the float32 samples.
"""

from pathlib import Path

import torch
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.settings import PassthroughSettings
from codec_wrappers.weights.loading import WeightsError


class Passthrough(Codec):
    sample_rate = None
    hop_length = PassthroughSettings.hop_length
    num_quantizers = PassthroughSettings.num_quantizers
    bits_per_code = PassthroughSettings.bits_per_code
    context_duration = None

    def encode(self, wav: Tensor) -> Tensor:
        return wav.float().contiguous().view(torch.int32).long()[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return codes[:, 0].int().view(torch.float32)


def build(settings: PassthroughSettings) -> Passthrough:
    """The codec."""
    return Passthrough()


def load(settings: PassthroughSettings, weights: Path | None) -> Passthrough:
    """The codec, which has no weights. Raises WeightsError if there is a path to weights."""
    if weights is not None:
        raise WeightsError(f"{weights}: passthrough has no weights; remove them")
    return build(settings)
