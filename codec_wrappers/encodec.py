"""EnCodec at 24 kHz (Défossez et al. 2022), over the package `encodec`: 75 frames/s, up to 32 codebooks, 24 kbit/s."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from codec_wrappers.codec import Codec, Reconstruction, decoded_together
from codec_wrappers.networks.ema_codebooks import follow, random_prefix
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.weights.loading import load_into
from codecfake.base import settings

SAMPLE_RATE = 24_000
RATIOS = (8, 5, 4, 2)


@dataclass(frozen=True)
class EncodecSettings:
    n_filters: int = 32
    dimension: int = 128
    lstm_layers: int = 2
    num_quantizers: int = 32
    codebook_size: int = 1024


class Encodec(Codec):
    sample_rate = SAMPLE_RATE
    hop_length = math.prod(RATIOS)
    any_length = True
    network: Any  # encodec.EncodecModel

    def __init__(self, chosen: EncodecSettings) -> None:
        self.num_quantizers = chosen.num_quantizers
        self.bits_per_code = math.log2(chosen.codebook_size)
        self.network = _network(chosen).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.encode_first(wav, self.num_quantizers)

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        # all 32 codebooks take about a quarter of the time of encoding
        return self.network.quantizer.vq.encode(self.network.encoder(wav[:, None]), number).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        return self.network.decode([(codes, None)])[:, 0]

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        latents = [self.network.quantizer.decode(codes[:, :number].transpose(0, 1)) for number in quantizers]
        return decoded_together(latents, lambda latent: self.network.decoder(latent)[:, 0])

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(wav[:, None])
        if not quantize:
            return Reconstruction(network.decoder(latent)[:, 0], latent.new_zeros(()))
        books = random_prefix([layer._codebook for layer in network.quantizer.vq.layers])
        quantized = follow(latent, books, learn="quantizer" not in self.frozen)
        return Reconstruction(network.decoder(quantized.latent)[:, 0], quantized.loss)


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published size."""
    return Encodec(settings.build(EncodecSettings, model))


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def _network(chosen: EncodecSettings) -> Any:
    from encodec import EncodecModel
    from encodec.modules import SEANetDecoder, SEANetEncoder
    from encodec.quantization import ResidualVectorQuantizer

    shape = {
        "n_filters": chosen.n_filters,
        "dimension": chosen.dimension,
        "lstm": chosen.lstm_layers,
        "ratios": list(RATIOS),
        "norm": "weight_norm",
        "causal": True,
    }
    quantizer = ResidualVectorQuantizer(chosen.dimension, chosen.num_quantizers, chosen.codebook_size)
    network = EncodecModel(
        SEANetEncoder(**shape),
        SEANetDecoder(**shape),
        quantizer,
        target_bandwidths=[],
        sample_rate=SAMPLE_RATE,
        channels=1,
    )
    keep_package_variance(network)
    return network
