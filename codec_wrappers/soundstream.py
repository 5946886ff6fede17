"""SoundStream (Zeghidour et al. 2021) at 16 kHz, 8 codebooks of 10 bits, 4 kbit/s, in one of two published forms.

Its authors published no PyTorch code. The default is `kaiidams`: of the independent implementations, it is closest to
the paper (only convolutions, with the paper's strides and widths), and it has weights and a clear license (MIT).
`academicodec` is the class SoundStream of the AcademiCodec toolkit: EnCodec's network, which uses 8 of its 24
codebooks at 4 kbit/s.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.networks import seanet, soundstream
from codec_wrappers.networks.codebooks import any_new
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.networks.row_ends import SHORTEST_MIRRORED, NetworkEnds
from codec_wrappers.settings import SoundstreamSettings
from codec_wrappers.weights.loading import load_into


class _Soundstream(LatentCodec):
    sample_rate = SoundstreamSettings.sample_rate
    shortest_padded = SHORTEST_MIRRORED

    def __init__(self, settings: SoundstreamSettings, network: nn.Module) -> None:
        super().__init__(network)
        self._dropout = settings.quantizer_dropout
        self.hop_length = settings.hop_length
        self.num_quantizers = settings.num_quantizers
        self.bits_per_code = settings.bits_per_code

    def stages_in_step(self) -> int | None:
        """A uniformly random number (section III-C of the paper); all while any codebook is new."""
        stages = self.quantizer.stages()
        if any_new([book for stage in stages for book in stage]) or torch.rand(()) >= self._dropout:
            return None
        return int(torch.randint(1, len(stages) + 1, ()))


class KaiidamsSoundstream(_Soundstream):
    """As published, the output is 50 to 240 samples shorter than the input; the workflow fills them with zeros.

    With `remainder: pad`, a frame of zeros after the recording is coded too, so that no sample is missing.
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

    def row_ends(self) -> NetworkEnds:
        return NetworkEnds(self.network, input_length=self._with_zeros)

    def _with_zeros(self, num_samples: Any) -> Any:
        return num_samples + -num_samples % self.hop_length + self.hop_length if self._pads else num_samples

    @property
    def quantizer(self) -> soundstream.Quantizer:
        return self.network.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        most = max(self.hop_length, self._with_zeros(wav.shape[1]))  # at least one frame
        wav = torch.nn.functional.pad(wav, (0, most - wav.shape[1]))
        return self.network.encoder(wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decoder(latent)[:, 0]


class AcademicodecSoundstream(_Soundstream):
    any_length = True
    network: seanet.SeaNet

    def __init__(self, settings: SoundstreamSettings) -> None:
        quantizer = seanet.Quantizer(
            settings.num_quantizers,
            settings.total_codebooks,
            settings.codebook_size,
            settings.dimension,
            settings.codebook_decay,
        )
        super().__init__(settings, seanet.SeaNet(settings.channels, settings.strides, settings.dimension, quantizer))

    @property
    def quantizer(self) -> seanet.Quantizer:
        return self.network.quantizer

    def row_ends(self) -> NetworkEnds:
        return NetworkEnds(self.network, mirroring=(seanet.Conv,), trimming=(seanet.ConvTranspose,))

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
    """Our tensors from the published state_dict `model` of either form."""
    tensors = {name.removeprefix("module."): tensor for name, tensor in parts["model"].items()}
    ours = {name: tensor for name, tensor in tensors.items() if name.startswith(("encoder.", "decoder.", "quantizer."))}
    if "quantizer.running_mean" in ours:
        # ours stores sums; their ratio to the counts is the codebook
        ours["quantizer.running_mean"] = ours["quantizer.weight"] * ours["quantizer.code_relative_frequency"][..., None]
    return ours
