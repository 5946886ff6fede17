"""Vocos (Siuzdak 2023) as the decoder of EnCodec's codes, with the packages `vocos` and `encodec`: a spectral decoder.

The encoder and the codebooks are those of EnCodec at 24 kHz. The decoder has embeddings of its own and was trained with
2, 4, 8 and 16 codebooks, each with a condition of its own.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.codec import Codec
from codec_wrappers.inference_settings import VocosSettings
from codec_wrappers.networks.fresh_codebooks import start_codebooks
from codec_wrappers.networks.package_initialization import keep_package_variance
from codec_wrappers.networks.package_seanet import seanet_arguments
from codec_wrappers.weights.loading import load_into


class Vocos(Codec):
    sample_rate = VocosSettings.sample_rate
    hop_length = VocosSettings.hop_length
    any_length = True
    network: "Network"

    def __init__(self, settings: VocosSettings) -> None:
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self._choices = settings.quantizer_choices
        self._codebook_size = settings.codebook_size
        self.network = Network(settings).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.encode_first(wav, self.num_quantizers)

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        encodec: Any = self.network.feature_extractor.encodec
        return encodec.quantizer.vq.encode(encodec.encoder(wav[:, None]), number).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Raises ValueError for a number of codebooks that the decoder was not trained with."""
        number = codes.shape[1]
        if number not in self._choices:
            choices = ", ".join(map(str, self._choices))
            raise ValueError(f"{number} quantizers, but this Vocos decodes {choices}; choose one of these")
        rows = codes + self._codebook_size * torch.arange(number, device=codes.device)[:, None]
        features = F.embedding(rows, self.network.feature_extractor.codebook_weights).sum(dim=1).transpose(1, 2)
        condition = torch.full((1,), self._choices.index(number), device=codes.device)
        return self.network.head(self.network.backbone(features, bandwidth_id=condition))


class Encodec(nn.Module):
    """EnCodec without its decoder, under the package's names."""

    def __init__(self, settings: VocosSettings) -> None:
        from encodec.modules import SEANetEncoder
        from encodec.quantization import ResidualVectorQuantizer

        super().__init__()
        self.encoder = SEANetEncoder(**seanet_arguments(settings))
        self.quantizer = ResidualVectorQuantizer(settings.dimension, settings.num_codebooks, settings.codebook_size)


class FeatureExtractor(nn.Module):
    """EnCodec, and the decoder's embeddings of its codes, codebook after codebook."""

    def __init__(self, settings: VocosSettings) -> None:
        super().__init__()
        self.encodec = Encodec(settings)
        rows = settings.num_quantizers * settings.codebook_size
        self.codebook_weights = nn.Parameter(torch.randn(rows, settings.dimension))


class Network(nn.Module):
    def __init__(self, settings: VocosSettings) -> None:
        from vocos.heads import ISTFTHead
        from vocos.models import VocosBackbone

        super().__init__()
        self.feature_extractor = FeatureExtractor(settings)
        self.backbone = VocosBackbone(
            input_channels=settings.dimension,
            dim=settings.channels,
            intermediate_dim=settings.intermediate_channels,
            num_layers=settings.num_layers,
            adanorm_num_embeddings=len(settings.quantizer_choices),
        )
        self.head = ISTFTHead(
            dim=settings.channels, n_fft=settings.n_fft, hop_length=settings.hop_length, padding="same"
        )


def build(settings: VocosSettings) -> Vocos:
    """The architecture with random weights, which are for tests."""
    with torch.random.fork_rng(devices=[], enabled=settings.seed is not None):
        if settings.seed is not None:
            torch.manual_seed(settings.seed)
        codec = Vocos(settings)
        encodec: Any = codec.network.feature_extractor.encodec
        keep_package_variance(encodec)
        layers = encodec.quantizer.vq.layers
        start_codebooks([(layer, layer._codebook.embed) for layer in layers], codec.encode, codec.hop_length)
    return codec


def load(settings: VocosSettings, weights: Path | None) -> Vocos:
    """The codec with the weights of a safetensors file."""
    return load_into(Vocos(settings), weights)
