"""FunCodec (Du et al. 2024) at 16 kHz, with the networks of the package `funcodec`: 32 codebooks.

The package's model classes are not used: they need CUDA to be built, and they normalize the level. Here the workflow
does that (`Gain.UNIT_RMS`).

Sizes come from the repository's configuration files. If the authors' `config.yaml` accompanies published weights, the
network is built from it, as in the package.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.codec import Gain, Reconstruction, TrainableCodec, decode_together
from codec_wrappers.networks.ema_codebooks import follow, random_prefix
from codec_wrappers.networks.package_codebooks import LookUp, sum_of_vectors
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.networks.unchecked import remove_checks
from codec_wrappers.networks.whole_batches import quantize_batch
from codec_wrappers.settings import FUNCODEC_GROUPS, FUNCODEC_STRIDES, FuncodecSettings
from codec_wrappers.weights.checkpoints import CONFIG
from codec_wrappers.weights.conversion import read_yaml
from codec_wrappers.weights.loading import load_into
from codecfake.base.settings import SettingsError

SPECTRUM_RATIOS = ((4, 1), (4, 1), (4, 2), (4, 1))  # for frequency and time
STFT_SIZE, STFT_HOP = 512, 160
SHORTEST = STFT_SIZE // 2 + 1  # samples that the STFT can mirror at its edges
SMALLEST_MAGNITUDE = 1e-6


class Funcodec(TrainableCodec):
    """The codec of waveforms: encoder, residual quantizer, decoder."""

    sample_rate = FuncodecSettings.sample_rate
    gain = Gain.UNIT_RMS
    any_length = True
    shortest_padded: float | None = SHORTEST_MIRRORED
    takes_portions = True
    quantizer_dropout = 1.0
    network: Any  # the encoder, quantizer and decoder under the official names

    def __init__(self, hop_length: int, encoder: nn.Module, quantizer: nn.Module, decoder: nn.Module) -> None:
        self.hop_length = hop_length
        codebooks: Any = quantizer.rq
        self.num_quantizers, codebook_size, _ = codebooks.model.embed.shape
        self.bits_per_code = math.log2(codebook_size)
        self.network = nn.ModuleDict({"encoder": encoder, "quantizer": quantizer, "decoder": decoder}).eval()
        remove_checks(self.network)

    def encode(self, wav: Tensor) -> Tensor:
        return self.network.quantizer.encode(self.network.encoder(self._analyze(wav))).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        return self._to_wav(self._to_latent(codes))

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        return decode_together([self._to_latent(codes[:, :number]) for number in quantizers], self._to_wav)

    def _to_latent(self, codes: Tensor) -> Tensor:
        quantizer = self.network.quantizer
        latent = sum_of_vectors(codes.transpose(0, 1), _look_ups(quantizer.rq.model)).transpose(1, 2)
        return latent if quantizer.output_proj is None else quantizer.output_proj(latent)

    def _to_wav(self, latent: Tensor) -> Tensor:
        return self._synthesize(self.network.decoder(latent))

    def row_ends(self) -> NetworkEnds | None:
        from funcodec.modules.normed_modules.conv import SConv1d, SConvTranspose1d

        return NetworkEnds(self.network, mirroring=(SConv1d,), trimming=(SConvTranspose1d,))

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        network = self.network
        latent = network.encoder(self._analyze(wav))
        if not quantize:
            return Reconstruction(self._synthesize(network.decoder(latent)), latent.new_zeros(()))
        books = random_prefix(_books(network.quantizer.rq.model), self.quantizer_dropout)
        learn = "quantizer" not in self.frozen
        quantization = quantize_batch(self.portion, latent.transpose(1, 2), lambda batch: follow(batch, books, learn))
        return Reconstruction(self._synthesize(network.decoder(quantization.latent.transpose(1, 2))), quantization.loss)

    def _analyze(self, wav: Tensor) -> Tensor:
        return wav[:, None]

    def _synthesize(self, features: Tensor) -> Tensor:
        return features[:, 0]


class Freqcodec(Funcodec):
    """The codec of short-time spectra `[B, 3, 257, frames]`: log magnitude, cosine and sine of the phase.

    Input that is too short for mirroring is padded with zeros.
    """

    shortest_padded = None  # convolutions with a stride put more before a recording of an odd number of frames

    def row_ends(self) -> None:
        return None

    def _analyze(self, wav: Tensor) -> Tensor:
        window = torch.hann_window(STFT_SIZE, device=wav.device)
        wav = F.pad(wav, (0, max(0, SHORTEST - wav.shape[1])))
        spectrum = torch.stft(wav, STFT_SIZE, STFT_HOP, window=window, return_complex=True)
        magnitude = spectrum.abs().clamp(min=SMALLEST_MAGNITUDE)
        phase = spectrum / magnitude
        return torch.stack([magnitude.log(), phase.real, phase.imag], dim=1)

    def _synthesize(self, features: Tensor) -> Tensor:
        magnitude, real, imaginary = features.float().unbind(dim=1)  # complex numbers have no bfloat16
        spectrum = F.softplus(magnitude) * torch.complex(real, imaginary)
        return torch.istft(spectrum, STFT_SIZE, STFT_HOP, window=torch.hann_window(STFT_SIZE, device=features.device))


def build(settings: FuncodecSettings) -> Funcodec:
    """The architecture with fresh weights."""
    if settings.config is not None:
        codec = _from_config(settings.architecture, settings.config)
    else:
        codec = _time(settings) if settings.architecture in FUNCODEC_STRIDES else _spectrum(settings)
    codec.quantizer_dropout = settings.quantizer_dropout
    return codec


def load(settings: FuncodecSettings, weights: Path | None) -> Funcodec:
    """The codec with the weights of a safetensors file, or of a folder that may include the authors' `config.yaml`."""
    path = weights / CONFIG if weights is not None else None
    if path is not None and path.is_file():
        settings = dataclasses.replace(settings, config=read_yaml(path))
    return load_into(build(settings), weights)


def _from_config(architecture: str, config: Mapping[str, Any]) -> Funcodec:
    """The network of a configuration in the package's form: `encoder`, `encoder_conf`, `model_conf` and so on."""
    from funcodec.models.decoder.seanet_decoder import SEANetDecoder, SEANetDecoder2d
    from funcodec.models.encoder.seanet_encoder import SEANetEncoder, SEANetEncoder2d
    from funcodec.models.quantizer.costume_quantizer import CostumeQuantizer

    _refuse_unsupported(architecture, config)
    two_dimensional = architecture in FUNCODEC_GROUPS
    encoder_class, decoder_class = (
        (SEANetEncoder2d, SEANetDecoder2d) if two_dimensional else (SEANetEncoder, SEANetDecoder)
    )
    encoder = encoder_class(input_size=config["input_size"], **config["encoder_conf"])
    quantizer = CostumeQuantizer(input_size=encoder.output_size(), **config["quantizer_conf"])
    decoder = decoder_class(input_size=quantizer.output_size(), **config["decoder_conf"])
    if two_dimensional:
        return Freqcodec(STFT_HOP * int(encoder.hop_length), encoder, quantizer, decoder)
    return Funcodec(int(encoder.hop_length), encoder, quantizer, decoder)


def _refuse_unsupported(architecture: str, config: Mapping[str, Any]) -> None:
    two_dimensional = architecture in FUNCODEC_GROUPS
    suffix, domain = ("_2d", ["mag_phase", "mag_phase"]) if two_dimensional else ("", ["time", "time"])
    details = config.get("model_conf", {})
    values = {
        "encoder": (config.get("encoder"), f"encodec_seanet_encoder{suffix}"),
        "decoder": (config.get("decoder"), f"encodec_seanet_decoder{suffix}"),
        "quantizer": (config.get("quantizer"), "costume_quantizer"),
        "model_conf.codec_domain": (list(details.get("codec_domain", ["time", "time"])), domain),
        "model_conf.domain_conf": (dict(details.get("domain_conf") or {}), {}),
        "model_conf.audio_normalize": (details.get("audio_normalize"), True),
        "model_conf.segment_dur": (details.get("segment_dur"), None),
    }
    for key, (value, supported) in values.items():
        if value != supported:
            raise SettingsError(
                f"FunCodec's config.yaml: {key} is {value!r}, but {architecture} needs {supported!r}; "
                f"choose another `architecture`, or weights for this one"
            )


def _time(settings: FuncodecSettings) -> Funcodec:
    from funcodec.models.decoder.seanet_decoder import SEANetDecoder
    from funcodec.models.encoder.seanet_encoder import SEANetEncoder

    strides = settings.strides or FUNCODEC_STRIDES[settings.architecture]
    shape = {**_shape(settings), "ratios": list(strides[::-1])}
    encoder = SEANetEncoder(dimension=settings.dimension, **shape)
    decoder = SEANetDecoder(input_size=settings.dimension, **shape)
    return Funcodec(settings.hop_length, encoder, _quantizer(settings), decoder)


def _spectrum(settings: FuncodecSettings) -> Funcodec:
    from funcodec.models.decoder.seanet_decoder import SEANetDecoder2d
    from funcodec.models.encoder.seanet_encoder import SEANetEncoder2d

    shape = {
        **_shape(settings),
        "ratios": list(SPECTRUM_RATIOS),
        "norm_params": {"num_groups": 1},
        "dilation_base": 1,
        "conv_group_ratio": FUNCODEC_GROUPS[settings.architecture],
    }
    encoder = SEANetEncoder2d(input_size=3, dimension=settings.dimension, **shape)
    decoder = SEANetDecoder2d(input_size=settings.dimension, channels=3, **shape)
    return Freqcodec(settings.hop_length, encoder, _quantizer(settings), decoder)


def _shape(settings: FuncodecSettings) -> dict[str, Any]:
    return {
        "n_filters": settings.n_filters,
        "seq_layer_num": settings.lstm_layers,
        "norm": "time_group_norm",
        "causal": False,
    }


def _quantizer(settings: FuncodecSettings) -> nn.Module:
    from funcodec.models.quantizer.costume_quantizer import CostumeQuantizer

    return CostumeQuantizer(
        input_size=settings.dimension,
        codebook_size=settings.codebook_size,
        num_quantizers=settings.num_quantizers,
        ema_decay=0.99,
        kmeans_init=True,
        sampling_rate=settings.sample_rate,
        encoder_hop_length=settings.hop_length,
    )


def _look_ups(stacked: Any) -> Iterator[LookUp]:
    names = ("inited", "cluster_size", "embed", "embed_avg")
    for layer, *tensors in zip(stacked.layers, *(getattr(stacked, name) for name in names), strict=True):
        yield _look_up(layer, tensors)


def _look_up(layer: Any, tensors: list[Tensor]) -> LookUp:
    return lambda indices: layer.decode(indices, tensors)


def _books(stacked: Any) -> list[SimpleNamespace]:
    """FunCodec's codebooks one by one; the package stacks them in tensors for all quantizers."""
    names = ("embed", "embed_avg", "cluster_size", "inited")
    parts = zip(*(getattr(stacked, name) for name in names), strict=True)
    return [SimpleNamespace(**dict(zip(names, part, strict=True))) for part in parts]
