"""AudioDec at 24 kHz, hop 300 (Wu et al. 2023), on whole utterances.

The published streaming decoder carries state from one file to the next; the forward pass used here does not.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.networks.audiodec import Autoencoder, Quantizer
from codec_wrappers.networks.audiodec_vocoder import Vocoder
from codec_wrappers.networks.initialization import keep_variance
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.settings import AudioDecSettings
from codec_wrappers.weights.loading import load_into


class AudioDecNetwork(nn.Module):
    """The autoencoder with the decoder in use, its own or the vocoder.

    The autoencoder can also have its symmetric decoder, to learn codes before the vocoder learns to decode them.
    """

    def __init__(self, settings: AudioDecSettings) -> None:
        super().__init__()
        self.vocoder: Vocoder | None = None
        self.vocoder_rests = False  # while the symmetric decoder replaces it
        if settings.decoder == "vocoder":
            self.vocoder = Vocoder(settings.dimension, settings.vocoder_channels, settings.strides[::-1])
        quantizer = Quantizer(
            settings.num_quantizers, settings.codebook_size, settings.dimension, settings.codebook_decay
        )
        self.autoencoder = Autoencoder(
            settings.channels,
            settings.channel_ratios,
            settings.strides,
            settings.dimension,
            quantizer,
            symmetric_decoder=self.vocoder is None,
        )

    def decode(self, latent: Tensor) -> Tensor:
        """Waveform `[B, 1, T]` of a quantized latent `[B, D, F]`."""
        if self.vocoder is None or self.vocoder_rests:
            return self.autoencoder.decode(latent)
        return self.vocoder(latent)


class AudioDec(LatentCodec):
    network: AudioDecNetwork
    any_length = True
    shortest_padded = 0.0  # it is causal

    def __init__(self, settings: AudioDecSettings) -> None:
        super().__init__(AudioDecNetwork(settings))
        self.sample_rate = settings.sample_rate
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code
        self._lookahead = settings.lookahead

    @property
    def quantizer(self) -> Quantizer:
        return self.network.autoencoder.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        """A frame decodes into `hop_length` samples, but its causal encoder saw only the first of them.

        `lookahead` moves the wav forward, so that the codes also describe samples that the decoder would have to guess.
        """
        return self.network.autoencoder.to_latent(F.pad(wav, (0, self._lookahead))[:, self._lookahead :])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decode(latent)[:, 0]

    def parts(self) -> dict[str, nn.Module]:
        autoencoder, vocoder = self.network.autoencoder, self.network.vocoder
        encoder = nn.ModuleList([autoencoder.encoder, autoencoder.projector])
        decoder = autoencoder.decoder if vocoder is None or self.network.vocoder_rests else vocoder
        assert decoder is not None
        return {"encoder": encoder, "quantizer": autoencoder.quantizer, "decoder": decoder}

    def use_decoder(self, name: str | None) -> None:
        if name not in (None, "symmetric"):
            super().use_decoder(name)
        autoencoder = self.network.autoencoder
        if name is not None and autoencoder.decoder is None:
            keep_variance(autoencoder.add_decoder().to(next(autoencoder.parameters()).device))
        self.network.vocoder_rests = name is not None

    @torch.no_grad()
    def fit_decoder(self, wavs: Iterable[Tensor]) -> None:
        if self.network.vocoder is not None:
            latents = [self.quantizer.decode(self.encode(wav)) for wav in wavs]
            self.network.vocoder.take_statistics(torch.cat(latents))

    def drop_helpers(self) -> None:
        self.use_decoder(None)
        if self.network.vocoder is not None:
            self.network.autoencoder.decoder = None


def build(settings: AudioDecSettings) -> AudioDec:
    """The architecture with fresh weights."""
    return AudioDec(settings)


def load(settings: AudioDecSettings, weights: Path | None) -> AudioDec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors from the published state_dicts `autoencoder` and, if the vocoder decodes, `vocoder`.

    Omits `pad_buffer` (streaming state), and the symmetric decoder if the vocoder replaces it.
    """
    unused = ("decoder.",) if "vocoder" in parts else ()
    return {
        f"{part}.{name}": tensor
        for part, tensors in parts.items()
        for name, tensor in tensors.items()
        if not name.endswith("pad_buffer") and not (part == "autoencoder" and name.startswith(unused))
    }
