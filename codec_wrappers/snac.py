"""SNAC (Siuzdak et al. 2024), with the package `snac`: residual codebooks at several rates, the coarse ones slower.

A code of a slow codebook is repeated for each frame that it covers.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.inference_settings import SnacSettings
from codec_wrappers.networks.fresh_codebooks import start_codebooks
from codec_wrappers.networks.weight_norm import parametrized
from codec_wrappers.weights.loading import load_into


class Snac(Codec):
    any_length = True
    context_duration = None  # the noise of a recording depends on all its codes, so no part of it is coded alone
    code_strides: tuple[int, ...]
    network: Any  # snac.SNAC

    def __init__(self, settings: SnacSettings) -> None:
        self.sample_rate = settings.sampling_rate
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self.code_strides = settings.vq_strides
        self.network = _network(settings).eval()
        self._noises = _with_seeded_noise(self.network)

    def encode(self, wav: Tensor) -> Tensor:
        codes = self.network.encode(wav[:, None])
        rows = [code.repeat_interleave(stride, dim=1) for code, stride in zip(codes, self.code_strides, strict=True)]
        return torch.stack(rows, dim=1)

    def decode(self, codes: Tensor) -> Tensor:
        """Fewer codebooks than all give a coarse signal, although the published models were trained with all."""
        seeds = [zlib.crc32(row.numpy().tobytes()) for row in codes.cpu()]
        for noise in self._noises:
            noise.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return self.network.decoder(self._to_latent(codes))[:, 0]

    def _to_latent(self, codes: Tensor) -> Tensor:
        quantizers = self.network.quantizer.quantizers
        parts = [
            quantizer.out_proj(quantizer.decode_code(code[:, ::stride])).repeat_interleave(stride, dim=2)
            for quantizer, code, stride in zip(quantizers, codes.unbind(1), self.code_strides, strict=False)
        ]  # fmt: skip
        return torch.stack(parts).sum(dim=0)


class SeededNoise(nn.Module):
    """The decoder's noise, from one generator a row: the same codes give the same bits, in any batch."""

    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear
        self.generators: list[torch.Generator] = []

    def forward(self, hidden: Tensor) -> Tensor:
        noise = torch.stack([torch.randn(1, hidden.shape[2], generator=each) for each in self.generators])
        return hidden + noise.to(hidden) * self.linear(hidden)


def build(settings: SnacSettings) -> Snac:
    """The architecture with random weights, which are for tests."""
    with torch.random.fork_rng(devices=[], enabled=settings.seed is not None):
        if settings.seed is not None:
            torch.manual_seed(settings.seed)
        codec = Snac(settings)
        layers = [(layer, layer.codebook.weight) for layer in codec.network.quantizer.quantizers]
        start_codebooks(layers, codec.encode, codec.hop_length, "decode_latents")
    return codec


def load(settings: SnacSettings, weights: Path | None) -> Snac:
    """The codec with the weights of a safetensors file."""
    return load_into(Snac(settings), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The published state_dict under the names of torch's parametrizations, which the package uses now."""
    return parametrized(parts["model"])


def _network(settings: SnacSettings) -> Any:
    from snac import SNAC

    return SNAC(
        sampling_rate=settings.sampling_rate,
        encoder_dim=settings.encoder_dim,
        encoder_rates=list(settings.encoder_rates),
        decoder_dim=settings.decoder_dim,
        decoder_rates=list(settings.encoder_rates)[::-1],
        attn_window_size=settings.attn_window_size,
        codebook_size=settings.codebook_size,
        codebook_dim=settings.codebook_dim,
        vq_strides=list(settings.vq_strides),
        noise=settings.noise,
        depthwise=settings.depthwise,
    )


def _with_seeded_noise(network: nn.Module) -> list[SeededNoise]:
    from snac.layers import NoiseBlock

    noises = []
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, NoiseBlock):
                noises.append(SeededNoise(child.linear))
                setattr(parent, name, noises[-1])
    return noises
