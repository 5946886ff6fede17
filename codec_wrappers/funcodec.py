"""FunCodec (Du et al. 2024) at 16 kHz, over the modules of the package `funcodec`: 32 codebooks.

The networks alone are taken, without the package's models around them, which need CUDA to be built and
normalize the level themselves; here the workflow does that (`Gain.UNIT_RMS`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.codec import Codec, Gain, Reconstruction
from codec_wrappers.ema_codebooks import follow, random_prefix
from codec_wrappers.weights import load_into
from codecfake import settings
from codecfake.settings import SettingsError

SAMPLE_RATE = 16_000
TIME_RATIOS = {"ds320": (8, 5, 4, 2), "ds640": (8, 5, 4, 2, 2)}
SPECTRUM_GROUPS = {"freqcodec_gr1": 1, "freqcodec_gr8": 8}
SPECTRUM_RATIOS = ((4, 1), (4, 1), (4, 2), (4, 1))  # of frequency and time
SPECTRUM_HOP = 320
STFT_SIZE, STFT_HOP = 512, 160
SMALLEST_MAGNITUDE = 1e-6


@dataclass(frozen=True)
class FuncodecSettings:
    architecture: str = "ds640"
    n_filters: int = 32
    dimension: int = 128
    lstm_layers: int = 2
    num_quantizers: int = 32
    codebook_size: int = 1024

    def __post_init__(self) -> None:
        known = [*TIME_RATIOS, *SPECTRUM_GROUPS]
        if self.architecture not in known:
            raise SettingsError(f"FuncodecSettings: unknown architecture {self.architecture!r}; one of {known}")


class Funcodec(Codec):
    """Of the waveform: encoder, residual quantizer, decoder."""

    sample_rate = SAMPLE_RATE
    gain = Gain.UNIT_RMS
    any_length = True
    network: Any  # the encoder, quantizer and decoder under the official names

    def __init__(self, chosen: FuncodecSettings, hop_length: int, encoder: nn.Module, decoder: nn.Module) -> None:
        self.hop_length = hop_length
        self.num_quantizers = chosen.num_quantizers
        self.bits_per_code = math.log2(chosen.codebook_size)
        quantizer = _quantizer(chosen, hop_length)
        self.network = nn.ModuleDict({"encoder": encoder, "quantizer": quantizer, "decoder": decoder}).eval()

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.quantizer.encode(self.network.encoder(self._analyze(wav))).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        latent = self.network.quantizer.decode(codes.transpose(0, 1))
        return self._synthesize(self.network.decoder(latent.transpose(1, 2)))

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        network = self.network.train()
        latent = network.encoder(self._analyze(wav))
        if not quantize:
            return Reconstruction(self._synthesize(network.decoder(latent)), latent.new_zeros(()))
        quantized = follow(latent.transpose(1, 2), random_prefix(_books(network.quantizer.rq.model)))
        return Reconstruction(self._synthesize(network.decoder(quantized.latent.transpose(1, 2))), quantized.loss)

    def _analyze(self, wav: Tensor) -> Tensor:
        return wav[:, None]

    def _synthesize(self, decoded: Tensor) -> Tensor:
        return decoded[:, 0]


class Freqcodec(Funcodec):
    """Of the short-time spectrum: log magnitude and the two parts of the phase's unit vector, `[B, 3, 257, frames]`."""

    def _analyze(self, wav: Tensor) -> Tensor:
        window = torch.hann_window(STFT_SIZE, device=wav.device)
        spectrum = torch.stft(wav, STFT_SIZE, STFT_HOP, window=window, return_complex=True)
        magnitude = spectrum.abs().clamp(min=SMALLEST_MAGNITUDE)
        phase = spectrum / magnitude
        return torch.stack([magnitude.log(), phase.real, phase.imag], dim=1)

    def _synthesize(self, decoded: Tensor) -> Tensor:
        magnitude, real, imaginary = decoded.unbind(dim=1)
        spectrum = F.softplus(magnitude) * torch.complex(real, imaginary)
        return torch.istft(spectrum, STFT_SIZE, STFT_HOP, window=torch.hann_window(STFT_SIZE, device=decoded.device))


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published ds640."""
    chosen = settings.build(FuncodecSettings, model)
    return _time(chosen) if chosen.architecture in TIME_RATIOS else _spectrum(chosen)


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def _time(chosen: FuncodecSettings) -> Codec:
    from funcodec.models.decoder.seanet_decoder import SEANetDecoder
    from funcodec.models.encoder.seanet_encoder import SEANetEncoder

    ratios = TIME_RATIOS[chosen.architecture]
    shape = {**_shape(chosen), "ratios": list(ratios)}
    encoder = SEANetEncoder(dimension=chosen.dimension, **shape)
    return Funcodec(chosen, math.prod(ratios), encoder, SEANetDecoder(input_size=chosen.dimension, **shape))


def _spectrum(chosen: FuncodecSettings) -> Codec:
    from funcodec.models.decoder.seanet_decoder import SEANetDecoder2d
    from funcodec.models.encoder.seanet_encoder import SEANetEncoder2d

    shape = {
        **_shape(chosen),
        "ratios": list(SPECTRUM_RATIOS),
        "norm_params": {"num_groups": 1},
        "dilation_base": 1,
        "conv_group_ratio": SPECTRUM_GROUPS[chosen.architecture],
    }
    encoder = SEANetEncoder2d(input_size=3, dimension=chosen.dimension, **shape)
    return Freqcodec(chosen, SPECTRUM_HOP, encoder, SEANetDecoder2d(input_size=chosen.dimension, channels=3, **shape))


def _shape(chosen: FuncodecSettings) -> dict[str, Any]:
    return {
        "n_filters": chosen.n_filters,
        "seq_layer_num": chosen.lstm_layers,
        "norm": "time_group_norm",
        "causal": False,
    }


def _quantizer(chosen: FuncodecSettings, hop_length: int) -> nn.Module:
    from funcodec.models.quantizer.costume_quantizer import CostumeQuantizer

    return CostumeQuantizer(
        input_size=chosen.dimension,
        codebook_size=chosen.codebook_size,
        num_quantizers=chosen.num_quantizers,
        ema_decay=0.99,
        kmeans_init=True,
        sampling_rate=SAMPLE_RATE,
        encoder_hop_length=hop_length,
    )


def _books(stacked: Any) -> list[SimpleNamespace]:
    """The codebooks that FunCodec keeps in tensors of all quantizers, one by one."""
    names = ("embed", "embed_avg", "cluster_size", "inited")
    parts = zip(*(getattr(stacked, name) for name in names), strict=True)
    return [SimpleNamespace(**dict(zip(names, part, strict=True))) for part in parts]
