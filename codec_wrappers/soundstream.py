"""SoundStream (Zeghidour et al. 2021) at 16 kHz, 8 codebooks of 10 bits, 4 kbit/s, in one of two published forms.

Its authors published no PyTorch code. `kaiidams` is the default: of the independent ones it is the nearest to the
paper (convolutions alone, the paper's strides and widths) and the one under a clear license (MIT), with weights.
`academicodec` is the class SoundStream of the AcademiCodec toolkit: EnCodec's network, of which 4 kbit/s uses
8 of 24 codebooks.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from codec_wrappers.networks import seanet, soundstream
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.settings import SoundstreamSettings
from codec_wrappers.weights.loading import load_into


class _Soundstream(LatentCodec):
    sample_rate = SoundstreamSettings.sample_rate

    def __init__(self, settings: SoundstreamSettings, network: nn.Module) -> None:
        super().__init__(network)
        self._dropout = settings.quantizer_dropout
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code

    def stages_in_step(self) -> int | None:
        """Any number with equal chances (section III-C of the paper); all, as long as any codebook is new."""
        stages = self.quantizer.stages()
        if any(book.is_new for stage in stages for book in stage) or torch.rand(()) >= self._dropout:
            return None
        return int(torch.randint(1, len(stages) + 1, ()))


class KaiidamsSoundstream(_Soundstream):
    """The decoder gives back some 50 to 240 samples less than were encoded, as published; the workflow fills them.

    With `remainder: pad` a frame of zeros is coded after the recording, so that nothing is missing.
    """

    any_length = True

    network: soundstream.SoundStream

    def __init__(self, settings: SoundstreamSettings) -> None:
        quantizer = soundstream.Quantizer(
            settings.num_quantizers, settings.codebook_size, settings.dimension, settings.codebook_decay
        )
        super().__init__(
            settings, soundstream.SoundStream(settings.channels, settings.strides, settings.dimension, quantizer)
        )
        self._pads = settings.remainder == "pad"

    @property
    def quantizer(self) -> soundstream.Quantizer:
        return self.network.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        to_grid = -wav.shape[1] % self.hop_length
        zeros = to_grid + self.hop_length if self._pads else max(0, self.hop_length - wav.shape[1])  # a frame at least
        wav = torch.nn.functional.pad(wav, (0, zeros))
        return self.network.encoder(wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decoder(latent)[:, 0]


class AcademicodecSoundstream(_Soundstream):
    any_length = True
    network: seanet.SeaNet

    def __init__(self, settings: SoundstreamSettings) -> None:
        quantizer = seanet.Quantizer(
            settings.num_quantizers,
            settings.held_codebooks,
            settings.codebook_size,
            settings.dimension,
            settings.codebook_decay,
        )
        super().__init__(settings, seanet.SeaNet(settings.channels, settings.strides, settings.dimension, quantizer))

    @property
    def quantizer(self) -> seanet.Quantizer:
        return self.network.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        return self.network.encoder["model"](wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decoder["model"](latent)[:, 0]


FORMS: dict[str, Callable[[SoundstreamSettings], _Soundstream]] = {
    "kaiidams": KaiidamsSoundstream,
    "academicodec": AcademicodecSoundstream,
}


def build(settings: SoundstreamSettings) -> LatentCodec:
    """The architecture with fresh weights."""
    return FORMS[settings.form](settings)


def load(settings: SoundstreamSettings, weights: Path | None) -> LatentCodec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(settings), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors of the published state_dict `model`, of either form."""
    tensors = {name.removeprefix("module."): tensor for name, tensor in parts["model"].items()}
    kept = {name: tensor for name, tensor in tensors.items() if name.startswith(("encoder.", "decoder.", "quantizer."))}
    if "quantizer.running_mean" in kept:
        # ours holds sums, whose ratio to the counts is the codebook
        kept["quantizer.running_mean"] = kept["quantizer.weight"] * kept["quantizer.code_relative_frequency"][..., None]
    return kept
