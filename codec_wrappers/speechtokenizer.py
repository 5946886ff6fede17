"""SpeechTokenizer at 16 kHz (Zhang et al. 2024), over the package `speechtokenizer`: 8 codebooks, 4 kbit/s.

In training, the first codebook, through a layer that encoding and decoding do not use, can follow a teacher's features.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from codec_wrappers.codec import Codec, Reconstruction
from codec_wrappers.networks.ema_codebooks import follow
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.weights.loading import load_into
from codecfake.base import settings

SAMPLE_RATE = 16_000
STRIDES = (8, 5, 4, 2)


@dataclass(frozen=True)
class SpeechTokenizerSettings:
    n_filters: int = 64
    dimension: int = 1024
    semantic_dimension: int = 768
    lstm_layers: int = 2
    n_q: int = 8
    codebook_size: int = 1024


class SpeechTokenizer(Codec):
    sample_rate = SAMPLE_RATE
    hop_length = math.prod(STRIDES)
    any_length = True
    network: Any  # speechtokenizer.SpeechTokenizer

    def __init__(self, chosen: SpeechTokenizerSettings) -> None:
        self.num_quantizers = chosen.n_q
        self.bits_per_code = math.log2(chosen.codebook_size)
        self.network = _network(chosen).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.encode(wav[:, None]).transpose(0, 1)  # the package says [Q, B, F]

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode(codes.transpose(0, 1))[:, 0]

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(wav[:, None])
        if not quantize:
            return Reconstruction(network.decoder(latent)[:, 0], latent.new_zeros(()))
        books = [layer._codebook for layer in network.quantizer.vq.layers]
        quantized = follow(latent, books, learn="quantizer" not in self.frozen)
        semantic = network.transform(quantized.coarse.transpose(1, 2))
        return Reconstruction(network.decoder(quantized.latent)[:, 0], quantized.loss, semantic)


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published size."""
    return SpeechTokenizer(settings.build(SpeechTokenizerSettings, model))


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def _network(chosen: SpeechTokenizerSettings) -> Any:
    from speechtokenizer import SpeechTokenizer as Network

    network = Network(
        {
            "n_filters": chosen.n_filters,
            "strides": list(STRIDES),
            "dimension": chosen.dimension,
            "semantic_dimension": chosen.semantic_dimension,
            "bidirectional": True,
            "dilation_base": 2,
            "residual_kernel_size": 3,
            "n_residual_layers": 1,
            "lstm_layers": chosen.lstm_layers,
            "activation": "ELU",
            "codebook_size": chosen.codebook_size,
            "n_q": chosen.n_q,
            "sample_rate": SAMPLE_RATE,
        }
    )
    keep_package_variance(network)
    return network
