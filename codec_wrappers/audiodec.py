"""AudioDec at 24 kHz, hop 300 (Wu et al. 2023), run over whole utterances.

The published streaming decoder carries state from one file into the next; the forward pass used here does not.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.networks.audiodec import Autoencoder, Quantizer
from codec_wrappers.networks.audiodec_vocoder import Vocoder
from codec_wrappers.networks.initialization import keep_variance
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.weights.loading import load_into
from codecfake.base import settings
from codecfake.base.settings import SettingsError

DECODERS = ("vocoder", "symmetric")


@dataclass(frozen=True)
class AudioDecSettings:
    """Defaults: libritts_v1, the autoencoder `symAD_libritts_24000_hop300` with its v1 vocoder."""

    decoder: str = "vocoder"
    sample_rate: int = 24000
    channels: int = 32
    channel_ratios: tuple[int, ...] = (2, 4, 8, 16)
    strides: tuple[int, ...] = (3, 4, 5, 5)
    dimension: int = 64  # of the latent
    num_quantizers: int = 8
    codebook_size: int = 1024
    codebook_decay: float = 0.8
    vocoder_channels: int = 512

    def __post_init__(self) -> None:
        if self.decoder not in DECODERS:
            raise SettingsError(f"audiodec: decoder {self.decoder!r} is not known; known: {', '.join(DECODERS)}")
        if len(self.channel_ratios) != len(self.strides):
            raise SettingsError(
                f"audiodec: {len(self.channel_ratios)} channel_ratios for {len(self.strides)} strides; "
                f"give one for each stride"
            )


class AudioDecNetwork(nn.Module):
    """The autoencoder, and the vocoder if it decodes; only the decoder in use is held.

    To learn its codes before the vocoder learns to decode them, the autoencoder can be given its symmetric decoder.
    """

    def __init__(self, chosen: AudioDecSettings) -> None:
        super().__init__()
        self.vocoder: Vocoder | None = None
        self.vocoder_rests = False  # while the symmetric decoder takes its place
        if chosen.decoder == "vocoder":
            self.vocoder = Vocoder(chosen.dimension, chosen.vocoder_channels, chosen.strides[::-1])
        quantizer = Quantizer(chosen.num_quantizers, chosen.codebook_size, chosen.dimension, chosen.codebook_decay)
        self.autoencoder = Autoencoder(
            chosen.channels,
            chosen.channel_ratios,
            chosen.strides,
            chosen.dimension,
            quantizer,
            symmetric_decoder=self.vocoder is None,
        )

    def decode(self, latent: Tensor) -> Tensor:
        """Waveform `[B, 1, T]` of a quantized latent `[B, D, F]`."""
        if self.vocoder is None or self.vocoder_rests:
            return self.autoencoder.decode(latent)
        return self.vocoder(latent)


class AudioDec(LatentCodec):
    network: AudioDecNetwork
    any_length = True

    def __init__(self, chosen: AudioDecSettings) -> None:
        super().__init__(AudioDecNetwork(chosen))
        self.sample_rate = chosen.sample_rate
        self.hop_length = math.prod(chosen.strides)
        self.num_quantizers = chosen.num_quantizers
        self.bits_per_code = math.log2(chosen.codebook_size)

    @property
    def quantizer(self) -> Quantizer:
        return self.network.autoencoder.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        return self.network.autoencoder.to_latent(wav)

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decode(latent)[:, 0]

    def parts(self) -> dict[str, nn.Module]:
        autoencoder, vocoder = self.network.autoencoder, self.network.vocoder
        encoder = nn.ModuleList([autoencoder.encoder, autoencoder.projector])
        decoder = autoencoder.decoder if vocoder is None or self.network.vocoder_rests else vocoder
        assert decoder is not None
        return {"encoder": encoder, "quantizer": autoencoder.quantizer, "decoder": decoder}

    def use_decoder(self, name: str | None) -> None:
        if name not in (None, "symmetric"):
            super().use_decoder(name)
        autoencoder = self.network.autoencoder
        if name is not None and autoencoder.decoder is None:
            keep_variance(autoencoder.add_decoder().to(next(autoencoder.parameters()).device))
        self.network.vocoder_rests = name is not None

    @torch.no_grad()
    def fit_decoder(self, wavs: Iterable[Tensor]) -> None:
        if self.network.vocoder is not None:
            latents = [self.quantizer.decode(self.encode(wav)) for wav in wavs]
            self.network.vocoder.take_statistics(torch.cat(latents))

    def drop_helpers(self) -> None:
        self.use_decoder(None)
        if self.network.vocoder is not None:
            self.network.autoencoder.decoder = None


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published size."""
    return AudioDec(settings.build(AudioDecSettings, model))


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors of the published state_dicts `autoencoder` and, for the vocoder as decoder, `vocoder`.

    Left out: `pad_buffer`, the state of streaming, and the symmetric decoder where the vocoder takes its place.
    """
    unused = ("decoder.",) if "vocoder" in parts else ()
    return {
        f"{part}.{name}": tensor
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
        if not name.endswith("pad_buffer") and not (part == "autoencoder" and name.startswith(unused))
    }
