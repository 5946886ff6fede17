"""HiFi-Codec of the AcademiCodec toolkit (Yang et al. 2023): 24k_320d by default, 16k_320d at `sample_rate: 16000`.

Its encoder normalizes over time, so it has to know where utterances end. It drops an incomplete last frame.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Gain
from codec_wrappers.networks.hificodec import HifiCodec, Quantizer
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.settings import AcademicodecSettings
from codec_wrappers.weights.loading import load_into


class Academicodec(LatentCodec):
    network: HifiCodec
    shortest_padded = SHORTEST_MIRRORED

    def __init__(self, settings: AcademicodecSettings) -> None:
        super().__init__(
            HifiCodec(
                settings.channels,
                settings.strides,
                settings.kernels,
                settings.dilations,
                settings.groups,
                settings.codebook_size,
            )
        )
        self.sample_rate = settings.sample_rate
        self.hop_length = settings.hop_length
        self.bits_per_code = settings.bits_per_code
        self.gain = Gain.PEAK_095 if settings.peak_normalize else Gain.NONE
        self.num_quantizers = settings.num_quantizers
        self.any_length = settings.remainder == "drop"

    @property
    def quantizer(self) -> Quantizer:
        return self.network.quantizer

    def parts(self) -> dict[str, nn.Module]:
        return {"encoder": self.network.encoder, "quantizer": self.quantizer, "decoder": self.network.generator}

    def row_ends(self) -> NetworkEnds:
        return NetworkEnds(self.network)

    def to_latent(self, wav: Tensor) -> Tensor:
        wav = torch.nn.functional.pad(wav, (0, max(0, self.hop_length - wav.shape[1])))  # at least one frame
        return self.network.encoder(wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.generator(latent)[:, 0]


def build(settings: AcademicodecSettings) -> Academicodec:
    """The architecture with fresh weights."""
    return Academicodec(settings)


def load(settings: AcademicodecSettings, weights: Path | None) -> Academicodec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors from the published state_dicts `encoder`, `quantizer` and `generator`."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
