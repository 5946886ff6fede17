"""SpeechTokenizer at 16 kHz (Zhang et al. 2024), with the package `speechtokenizer`: 8 codebooks, 4 kbit/s.

In training, the first codebook can follow a teacher's features, through a layer that encoding and decoding do not use.
"""

from pathlib import Path
from typing import Any

from torch import Tensor

from codec_wrappers.codec import Reconstruction, TrainableCodec
from codec_wrappers.networks.ema_codebooks import follow
from codec_wrappers.networks.package_codebooks import sum_of_vectors
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.networks.whole_batches import quantize_batch
from codec_wrappers.settings import SpeechTokenizerSettings
from codec_wrappers.weights.loading import load_into


class SpeechTokenizer(TrainableCodec):
    sample_rate = SpeechTokenizerSettings.sample_rate
    any_length = True
    shortest_padded = SHORTEST_MIRRORED
    takes_portions = True
    network: Any  # speechtokenizer.SpeechTokenizer

    def __init__(self, settings: SpeechTokenizerSettings) -> None:
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self.network = _network(settings).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.encode(wav[:, None]).transpose(0, 1)  # the package returns [Q, B, F]

    def decode(self, codes: Tensor) -> Tensor:
        layers = self.network.quantizer.vq.layers
        return self.network.decoder(sum_of_vectors(codes.transpose(0, 1), (layer.decode for layer in layers)))[:, 0]

    def row_ends(self) -> NetworkEnds:
        from speechtokenizer.modules import SConv1d, SConvTranspose1d

        return NetworkEnds(self.network, mirroring=(SConv1d,), trimming=(SConvTranspose1d,))

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(wav[:, None])
        if not quantize:
            return Reconstruction(network.decoder(latent)[:, 0], latent.new_zeros(()))
        books = [layer._codebook for layer in network.quantizer.vq.layers]
        learn = "quantizer" not in self.frozen
        quantization = quantize_batch(self.portion, latent, lambda batch: follow(batch, books, learn))
        assert quantization.coarse is not None  # `follow` gives it
        semantic = network.transform(quantization.coarse.transpose(1, 2))
        return Reconstruction(network.decoder(quantization.latent)[:, 0], quantization.loss, semantic)


def build(settings: SpeechTokenizerSettings) -> SpeechTokenizer:
    """The architecture with fresh weights."""
    return SpeechTokenizer(settings)


def load(settings: SpeechTokenizerSettings, weights: Path | None) -> SpeechTokenizer:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def _network(settings: SpeechTokenizerSettings) -> Any:
    from speechtokenizer import SpeechTokenizer as Network

    network = Network(
        {
            "n_filters": settings.n_filters,
            "strides": list(settings.strides[::-1]),
            "dimension": settings.dimension,
            "semantic_dimension": settings.semantic_dimension,
            "bidirectional": True,
            "dilation_base": 2,
            "residual_kernel_size": 3,
            "n_residual_layers": 1,
            "lstm_layers": settings.lstm_layers,
            "activation": "ELU",
            "codebook_size": settings.codebook_size,
            "n_q": settings.n_q,
            "sample_rate": settings.sample_rate,
        }
    )
    keep_package_variance(network)
    return network
