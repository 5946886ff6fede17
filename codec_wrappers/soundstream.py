"""SoundStream (Zeghidour et al. 2021) at 16 kHz, 8 codebooks of 10 bits, 4 kbit/s, in one of two published forms.

Its authors published no PyTorch code. `kaiidams` is the default: of the independent ones it is the nearest to the
paper (convolutions alone, the paper's strides and widths) and the one under a clear license (MIT), with weights.
`academicodec` is the class SoundStream of the AcademiCodec toolkit: EnCodec's network, of which 4 kbit/s uses
8 of 24 codebooks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.codec import Codec
from codec_wrappers.networks import seanet, soundstream
from codec_wrappers.networks.latent_codec import LatentCodec
from codec_wrappers.weights.loading import load_into
from codecfake.base import settings
from codecfake.base.settings import SettingsError

SAMPLE_RATE = 16_000
REMAINDERS = ("drop", "pad")
PUBLISHED_CODEBOOKS = 24  # of form academicodec, for 12 kbit/s


@dataclass(frozen=True)
class SoundstreamSettings:
    form: str = "kaiidams"
    channels: int = 32  # of the first layer; they double at each stride
    strides: tuple[int, ...] = (2, 4, 5, 8)
    dimension: int = 512  # of the latent
    num_quantizers: int = 8
    num_codebooks: int | None = None  # held in the weights, form academicodec only; None: the published 24
    codebook_size: int = 1024
    codebook_decay: float = 0.99
    remainder: str = "drop"  # samples that the decoder leaves out at the end, form kaiidams only; or "pad"
    quantizer_dropout: float = 1.0  # share of training batches that use a random number of codebooks

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise SettingsError(f"soundstream: form {self.form!r} is not known; known: {', '.join(FORMS)}")
        if self.remainder not in REMAINDERS:
            known = ", ".join(REMAINDERS)
            raise SettingsError(f"soundstream: remainder {self.remainder!r} is not known; known: {known}")
        if self.form == "academicodec" and self.remainder != "drop":
            raise SettingsError("soundstream: form academicodec leaves nothing out; leave remainder out")
        if self.form == "kaiidams" and self.num_codebooks is not None:
            raise SettingsError("soundstream: form kaiidams holds num_quantizers codebooks; leave num_codebooks out")
        if self.form == "academicodec" and self.held_codebooks < self.num_quantizers:
            raise SettingsError(
                f"soundstream: {self.num_quantizers} num_quantizers of {self.held_codebooks} codebooks; "
                f"raise num_codebooks or lower num_quantizers"
            )

    @property
    def held_codebooks(self) -> int:
        return PUBLISHED_CODEBOOKS if self.num_codebooks is None else self.num_codebooks


class _Soundstream(LatentCodec):
    sample_rate = SAMPLE_RATE

    def __init__(self, chosen: SoundstreamSettings, network: nn.Module) -> None:
        super().__init__(network)
        self._dropout = chosen.quantizer_dropout
        self.hop_length = math.prod(chosen.strides)
        self.num_quantizers = chosen.num_quantizers
        self.bits_per_code = math.log2(chosen.codebook_size)

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

    def __init__(self, chosen: SoundstreamSettings) -> None:
        quantizer = soundstream.Quantizer(
            chosen.num_quantizers, chosen.codebook_size, chosen.dimension, chosen.codebook_decay
        )
        super().__init__(chosen, soundstream.SoundStream(chosen.channels, chosen.strides, chosen.dimension, quantizer))
        self._pads = chosen.remainder == "pad"

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

    def __init__(self, chosen: SoundstreamSettings) -> None:
        quantizer = seanet.Quantizer(
            chosen.num_quantizers, chosen.held_codebooks, chosen.codebook_size, chosen.dimension, chosen.codebook_decay
        )
        super().__init__(chosen, seanet.SeaNet(chosen.channels, chosen.strides, chosen.dimension, quantizer))

    @property
    def quantizer(self) -> seanet.Quantizer:
        return self.network.quantizer

    def to_latent(self, wav: Tensor) -> Tensor:
        return self.network.encoder["model"](wav[:, None])

    def to_wav(self, latent: Tensor) -> Tensor:
        return self.network.decoder["model"](latent)[:, 0]


FORMS = {"kaiidams": KaiidamsSoundstream, "academicodec": AcademicodecSoundstream}


def build(model: Mapping[str, Any]) -> Codec:
    """The architecture with fresh weights; `{}` is the published size."""
    chosen = settings.build(SoundstreamSettings, model)
    return FORMS[chosen.form](chosen)


def load(model: Mapping[str, Any], weights: Path | None) -> Codec:
    """The codec with the weights of a safetensors file."""
    return load_into(build(model), weights)


def from_official(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Our tensors of the published state_dict `model`, of either form."""
    tensors = {name.removeprefix("module."): tensor for name, tensor in parts["model"].items()}
    kept = {name: tensor for name, tensor in tensors.items() if name.startswith(("encoder.", "decoder.", "quantizer."))}
    if "quantizer.running_mean" in kept:
        # ours holds sums, whose ratio to the counts is the codebook
        kept["quantizer.running_mean"] = kept["quantizer.weight"] * kept["quantizer.code_relative_frequency"][..., None]
    return kept
