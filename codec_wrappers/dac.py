"""Descript Audio Codec (Kumar et al. 2023), over the package `descript-audio-codec`, whole files at once.

At 16 and 24 kHz the decoder gives 8 samples less than it was given (an odd stride); the workflow fills them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec, Reconstruction
from codec_wrappers.initialization import keep_package_variance
from codec_wrappers.networks.codebooks import kmeans
from codec_wrappers.weights import load_into
from codecfake import settings
from codecfake.settings import SettingsError

PUBLISHED = {44_100: ((2, 4, 8, 8), 9), 24_000: ((2, 4, 5, 8), 32), 16_000: ((2, 4, 5, 8), 12)}  # strides, codebooks
COMMITMENT_WEIGHT, CODEBOOK_WEIGHT = 0.25, 1.0  # section 3.6 of the paper


@dataclass(frozen=True)
class DacSettings:
    sample_rate: int = 44_100
    encoder_dim: int = 64
    encoder_rates: tuple[int, ...] | None = None  # None, here and below: as published for the sample rate
    latent_dim: int | None = None
    decoder_dim: int = 1536
    decoder_rates: tuple[int, ...] | None = None
    n_codebooks: int | None = None
    codebook_size: int = 1024
    codebook_dim: int = 8
    quantizer_dropout: float = 0.5  # share of a training batch that uses a random number of codebooks

    def __post_init__(self) -> None:
        if self.sample_rate not in PUBLISHED:
            known = ", ".join(str(rate) for rate in PUBLISHED)
            raise SettingsError(f"DacSettings: sample_rate {self.sample_rate} is not one DAC is published for: {known}")


class Dac(Codec):
    network: Any  # dac.DAC

    def __init__(self, chosen: DacSettings) -> None:
        self.sample_rate = chosen.sample_rate
        self.bits_per_code = math.log2(chosen.codebook_size)
        self.network = _network(chosen).eval()
        self.hop_length = int(self.network.hop_length)
        self.num_quantizers = self.network.n_codebooks
        self._codebooks_are_new = True

    def encode(self, wav: Tensor) -> Tensor:
        _, codes, *_ = self.network.encode(self.network.preprocess(wav[:, None], self.sample_rate))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        quantized, *_ = self.network.quantizer.from_codes(codes)
        return self.network.decode(quantized)[:, 0]

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        if not quantize:
            network = self.network.train()
            return Reconstruction(network.decode(network.encoder(wav[:, None]))[:, 0], wav.new_zeros(()))
        if self._codebooks_are_new:
            self._start_codebooks(wav)
        quantized, _, _, commitment, codebook = self.network.train().encode(wav[:, None])
        loss = COMMITMENT_WEIGHT * commitment + CODEBOOK_WEIGHT * codebook
        return Reconstruction(self.network.decode(quantized)[:, 0], loss)

    @torch.no_grad()
    def _start_codebooks(self, wav: Tensor) -> None:
        """Give fresh codebooks the clusters of a first batch: random vectors are far from any latent, and stay so."""
        residual = self.network.encoder(wav[:, None])
        for quantizer in self.network.quantizer.quantizers:
            rows = quantizer.in_proj(residual).transpose(1, 2).flatten(0, 1)
            quantizer.codebook.weight.copy_(kmeans(rows, quantizer.codebook_size)[0])
            residual = residual - quantizer(residual)[0]
        self._codebooks_are_new = False


def build(model: Mapping[str, Any]) -> Dac:
    """The architecture with fresh weights; `{}` is the published 44.1 kHz, 8 kbit/s size."""
    return Dac(settings.build(DacSettings, model))


def load(model: Mapping[str, Any], weights: Path | None) -> Dac:
    """The codec with the weights of a safetensors file."""
    codec = build(model)
    load_into(codec, weights)
    codec._codebooks_are_new = False
    return codec


def _network(chosen: DacSettings) -> Any:
    from dac import DAC

    rates, n_codebooks = PUBLISHED[chosen.sample_rate]
    encoder_rates = chosen.encoder_rates or rates
    network = DAC(
        sample_rate=chosen.sample_rate,
        encoder_dim=chosen.encoder_dim,
        encoder_rates=list(encoder_rates),
        latent_dim=chosen.latent_dim,
        decoder_dim=chosen.decoder_dim,
        decoder_rates=list(chosen.decoder_rates or reversed(encoder_rates)),
        n_codebooks=chosen.n_codebooks or n_codebooks,
        codebook_size=chosen.codebook_size,
        codebook_dim=chosen.codebook_dim,
        quantizer_dropout=chosen.quantizer_dropout,
    )
    keep_package_variance(network.encoder)
    keep_package_variance(network.decoder)
    for quantizer in network.quantizer.quantizers:
        _make_transposed(quantizer.in_proj, quantizer.out_proj)
    return network


@torch.no_grad()
def _make_transposed(down: Any, up: Any) -> None:
    """Let two fresh 1 × 1 convolutions project on a subspace and back, so that stages leave less and less over."""
    basis = nn.init.orthogonal_(torch.empty(down.out_channels, down.in_channels))
    for layer, weight in ((down, basis), (up, basis.T)):
        layer.weight_v.copy_(weight[:, :, None])
        layer.weight_g.copy_(weight.norm(dim=1)[:, None, None])
        layer.bias.zero_()
