"""EnCodec at 24 kHz (Défossez et al. 2022), with the package `encodec`: 75 frames/s, up to 32 codebooks, 24 kbit/s."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from codec_wrappers.codec import Reconstruction, TrainableCodec, decode_together
from codec_wrappers.networks.ema_codebooks import follow, random_prefix
from codec_wrappers.networks.package_codebooks import sum_of_vectors
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.networks.package_seanet import seanet_arguments
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.networks.whole_batches import quantize_batch
from codec_wrappers.settings import EncodecSettings
from codec_wrappers.weights.loading import load_into


class Encodec(TrainableCodec):
    sample_rate = EncodecSettings.sample_rate
    any_length = True
    shortest_padded = SHORTEST_MIRRORED
    takes_portions = True
    network: Any  # encodec.EncodecModel

    def __init__(self, settings: EncodecSettings) -> None:
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self._dropout = settings.quantizer_dropout
        self.network = _network(settings).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.encode_first(wav, self.num_quantizers)

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        # all 32 codebooks take about a quarter of the encoding time
        return self.network.quantizer.vq.encode(self.network.encoder(wav[:, None]), number).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        return self._to_wav(self._to_latent(codes))

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        return decode_together([self._to_latent(codes[:, :number]) for number in quantizers], self._to_wav)

    def _to_latent(self, codes: Tensor) -> Tensor:
        return sum_of_vectors(codes.transpose(0, 1), (layer.decode for layer in self.network.quantizer.vq.layers))

    def _to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decoder(latent)[:, 0]

    def row_ends(self) -> NetworkEnds:
        from encodec.modules import SConv1d, SConvTranspose1d

        return NetworkEnds(self.network, mirroring=(SConv1d,), trimming=(SConvTranspose1d,))

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(wav[:, None])
        if not quantize:
            return Reconstruction(network.decoder(latent)[:, 0], latent.new_zeros(()))
        books = random_prefix([layer._codebook for layer in network.quantizer.vq.layers], self._dropout)
        learn = "quantizer" not in self.frozen
        quantization = quantize_batch(self.portion, latent, lambda batch: follow(batch, books, learn))
        return Reconstruction(network.decoder(quantization.latent)[:, 0], quantization.loss)


def build(settings: EncodecSettings) -> Encodec:
    """The architecture with fresh weights."""
    return Encodec(settings)


def load(settings: EncodecSettings, weights: Path | None) -> Encodec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def _network(settings: EncodecSettings) -> Any:
    from encodec import EncodecModel
    from encodec.modules import SEANetDecoder, SEANetEncoder
    from encodec.quantization import ResidualVectorQuantizer

    shape = seanet_arguments(settings)
    quantizer = ResidualVectorQuantizer(settings.dimension, settings.num_quantizers, settings.codebook_size)
    network = EncodecModel(
        SEANetEncoder(**shape),
        SEANetDecoder(**shape),
        quantizer,
        target_bandwidths=[],
        sample_rate=settings.sample_rate,
        channels=1,
    )
    keep_package_variance(network)
    return network
