"""HiFi-Codec of the AcademiCodec toolkit (Yang et al. 2023): 24k_320d by default, 16k_320d at `sample_rate: 16000`.

Its encoder normalizes over time, so utterances must not be padded beyond the hop; it floors shorter remainders away.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec, Gain
from codec_wrappers.networks.hificodec import HifiCodec, Quantizer
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.weights.loading import load_into
from codecfake.base import settings
from codecfake.base.settings import SettingsError

REMAINDERS = ("drop", "pad")


@dataclass(frozen=True)
class AcademicodecSettings:
    sample_rate: int = 24000
    peak_normalize: bool = False  # True: as Wu et al. (2024) ran it; its author calls it unnecessary
    channels: int = 512  # of the latent; each stage towards the waveform has half as many
    strides: tuple[int, ...] = (2, 4, 5, 8)
    kernels: tuple[int, ...] = (3, 7, 11)  # of the residual blocks
    dilations: tuple[int, ...] = (1, 3, 5)
    groups: int = 2
    codebook_size: int = 1024
    remainder: str = "drop"  # samples after the last whole frame, as published; "pad": coded with zeros after them

    def __post_init__(self) -> None:
        if self.remainder not in REMAINDERS:
            raise SettingsError(
                f"academicodec: remainder {self.remainder!r} is not known; known: {', '.join(REMAINDERS)}"
            )
        least = 2 ** len(self.strides)
        if self.channels % least or self.channels % self.groups:
            raise SettingsError(
                f"academicodec: {self.channels} channels cannot be halved {len(self.strides)} times and cut into "
                f"{self.groups} groups; give a multiple of {math.lcm(least, self.groups)}"
            )


class Academicodec(LatentCodec):
    network: HifiCodec

    def __init__(self, chosen: AcademicodecSettings) -> None:
        super().__init__(
            HifiCodec(
                chosen.channels, chosen.strides, chosen.kernels, chosen.dilations, chosen.groups, chosen.codebook_size
            )
        )
        self.sample_rate = chosen.sample_rate
        self.hop_length = math.prod(chosen.strides)
        self.bits_per_code = math.log2(chosen.codebook_size)
        self.gain = Gain.PEAK_095 if chosen.peak_normalize else Gain.NONE
        self.num_quantizers = chosen.groups * len(self.quantizer.stages())
        self.any_length = chosen.remainder == "drop"

    @property
    def quantizer(self) -> Quantizer:
        return self.network.quantizer

    def parts(self) -> dict[str, nn.Module]:
        return {"encoder": self.network.encoder, "quantizer": self.quantizer, "decoder": self.network.generator}

    def to_latent(self, wav: Tensor) -> Tensor:
        wav = torch.nn.functional.pad(wav, (0, max(0, self.hop_length - wav.shape[1])))  # a frame at least
        return self.network.encoder(wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.generator(latent)[:, 0]


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published size."""
    return Academicodec(settings.build(AcademicodecSettings, model))


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors of the published state_dicts `encoder`, `quantizer` and `generator`."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
