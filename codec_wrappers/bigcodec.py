"""BigCodec (Xin et al. 2024), with the package `bigcodec`: 16 kHz, one codebook of 8192 entries, 80 frames/s."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.inference_settings import BigCodecSettings
from codec_wrappers.networks.fresh_codebooks import drop_biases, start_codebooks
from codec_wrappers.networks.weight_norm import parametrized
from codec_wrappers.weights.loading import load_into


class BigCodec(Codec):
    sample_rate = BigCodecSettings.sample_rate
    num_quantizers = BigCodecSettings.num_quantizers
    network: Any

    def __init__(self, settings: BigCodecSettings) -> None:
        self.hop_length = settings.hop_length
        self.bits_per_code = settings.bits_per_code
        self.network = Network(settings).eval()

    def encode(self, wav: Tensor) -> Tensor:
        _, codes, _ = self.network.decoder(self.network.encoder(wav[:, None]), vq=True)
        return codes.transpose(0, 1)  # from [Q, B, F]

    def decode(self, codes: Tensor) -> Tensor:
        latent = self.network.decoder.vq2emb(codes.transpose(1, 2)).transpose(1, 2)
        return self.network.decoder(latent, vq=False)[:, 0]


class Network(nn.Module):
    """Encoder and decoder, which holds the codebook, under the package's names."""

    def __init__(self, settings: BigCodecSettings) -> None:
        from bigcodec import CodecDecoder, CodecEncoder

        super().__init__()
        shared = {"ngf": settings.ngf, "rnn_num_layers": settings.rnn_num_layers}
        self.encoder = CodecEncoder(up_ratios=settings.strides, out_channels=settings.dimension, **shared)
        self.decoder = CodecDecoder(
            in_channels=settings.dimension,
            upsample_initial_channel=settings.channels,
            up_ratios=settings.strides[::-1],
            vq_dim=settings.dimension,
            codebook_size=settings.codebook_size,
            codebook_dim=settings.codebook_dim,
            **shared,
        )


def build(settings: BigCodecSettings) -> BigCodec:
    """The architecture with random weights, which are for tests."""
    with torch.random.fork_rng(devices=[], enabled=settings.seed is not None):
        if settings.seed is not None:
            torch.manual_seed(settings.seed)
        codec = BigCodec(settings)
        drop_biases(codec.network)
        layers = [(layer, layer.codebook.weight) for layer in codec.network.decoder.quantizer.layers]
        start_codebooks(layers, codec.encode, codec.hop_length, "decode_latents")
    return codec


def load(settings: BigCodecSettings, weights: Path | None) -> BigCodec:
    """The codec with the weights of a safetensors file."""
    return load_into(BigCodec(settings), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The published state_dicts as one, under the names of torch's parametrizations, which the package uses."""
    return parametrized({f"{part}.{name}": value for part in parts for name, value in parts[part].items()})
