"""The interface that every codec wrapper offers, and no more than the workflow needs.

It imports no torch: settings are checked, and wrappers outside the package are looked at, where there is none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Gain(Enum):
    """What a codec expects of its input's level. The workflow applies it before, and undoes it after."""

    NONE = "none"
    UNIT_RMS = "rms"  # FunCodec: x / (sqrt(mean(x²)) + 1e-8)
    PEAK_095 = "peak"  # HiFi-Codec as Wu et al. ran it: 0.95 · x / max|x|
    LUFS_16 = "lufs"  # DAC's `compress`: a loudness of -16 LUFS


class Shape(Protocol):
    """What the codes of a codec look like: known from its settings, before its network is built."""

    @property
    def sample_rate(self) -> int | None:
        """Hz; None: any rate, taken as it comes."""

    @property
    def hop_length(self) -> int:
        """Samples per frame."""

    @property
    def num_quantizers(self) -> int:
        """The most codebooks that `encode` gives."""

    @property
    def bits_per_code(self) -> float: ...


def bitrate_kbps(shape: Shape, quantizers: int) -> float:
    """True bit rate in kbit/s of `quantizers` codebooks. Raises TypeError for a codec without a rate of its own."""
    if shape.sample_rate is None:
        raise TypeError(f"{type(shape).__name__} has no rate of its own, hence no bit rate")
    return quantizers * shape.bits_per_code * shape.sample_rate / shape.hop_length / 1000


class Codec(ABC):
    """A neural codec: waveform to codes and back. This is all that resynthesis asks of one.

    Shapes: wav `[B, T]`, float32, at `sample_rate`, T a multiple of `hop_length`;
    codes `[B, Q, F]`, int64, coarse first. Rows of one batch never influence each other.
    """

    sample_rate: int | None  # Hz; None: any rate, taken as it comes
    hop_length: int  # samples per frame
    num_quantizers: int  # the most codebooks that `encode` gives
    bits_per_code: float
    gain: Gain = Gain.NONE
    any_length: bool = False  # T need not be a multiple: the codec pads inside, in its own way
    context_duration: float | None = 1.0  # seconds on both sides that a frame hears; None: no need to cut what is long
    network: torch.nn.Module | None = None  # is moved to the device of a job; None: the codec runs on the CPU

    @abstractmethod
    def encode(self, wav: Tensor) -> Tensor:
        """Codes `[B, num_quantizers, F]` of wav `[B, T]`."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Waveform `[B, T']` of codes `[B, Q, F]`; the first Q codebooks alone where codebooks nest."""

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        """Codes `[B, number, F]` of the first codebooks alone; a codec with many may save itself the others."""
        return self.encode(wav)[:, :number]

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        """The waveforms `[B, T']` of the first codebooks alone, one for each number of quantizers.

        Within float noise those of `decode`; a codec may make them as one batch, which a GPU is quicker at.
        """
        return [self.decode(codes[:, :number]) for number in quantizers]

    def bitrate_kbps(self, quantizers: int) -> float:
        """True bit rate in kbit/s of `quantizers` codebooks. Raises TypeError if the codec has no rate of its own."""
        return bitrate_kbps(self, quantizers)


@dataclass(frozen=True)
class Reconstruction:
    """A training-mode round trip: `wav` is `[B, T']`, `quantizer_loss` a scalar to add to the loss."""

    wav: Tensor
    quantizer_loss: Tensor
    semantic: Tensor | None = None  # [B, F, D]: what a teacher's features are compared with


class TrainableCodec(Codec):
    """A codec whose weights can be learned here."""

    sample_rate: int
    network: torch.nn.Module  # holds the weights
    frozen: frozenset[str] = frozenset()  # the parts that training leaves as they are

    @abstractmethod
    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        """A differentiable round trip of wav `[B, T]` in training mode, codebooks updated as the codec does.

        New codebooks start from the first batch. Without `quantize`, the latent is decoded as it is.
        Quantizes in float32, under autocast too.
        """

    def parts(self) -> dict[str, torch.nn.Module]:
        """The parts of `network` that training can freeze."""
        network: Any = self.network
        return {"encoder": network.encoder, "quantizer": network.quantizer, "decoder": network.decoder}

    def freeze(self, names: Collection[str]) -> None:
        """Keep the named parts, and no others, as they are in training. Raises ValueError for an unknown name."""
        parts = self.parts()
        unknown = sorted(set(names) - set(parts))
        if unknown:
            raise ValueError(f"{type(self).__name__} has no part {unknown[0]!r} to freeze; it has {', '.join(parts)}")
        for name, part in parts.items():
            part.requires_grad_(name not in names)
        self.frozen = frozenset(names)

    def start_training(self) -> None:
        """Put `network` in training mode, but not a frozen quantizer: its codebooks would move without gradients."""
        self.network.train()
        if "quantizer" in self.frozen:
            self.parts()["quantizer"].eval()

    def use_decoder(self, name: str | None) -> None:
        """Decode from now on by a helper, held until `drop_helpers`; None: by the codec's own decoder.

        Raises ValueError for a helper that the codec does not have.
        """
        if name is not None:
            raise ValueError(f"{type(self).__name__} has no decoder {name!r} beside its own; set the stage's to null")

    def fit_decoder(self, wavs: Iterable[Tensor]) -> None:  # noqa: B027 (most have nothing to do)
        """Give the decoder the statistics of its input that it holds, if any, from batches of wavs `[B, T]`."""

    def drop_helpers(self) -> None:  # noqa: B027
        """Leave in `network` what encoding and decoding need, and no more."""


def decoded_together(latents: Sequence[Tensor], decode: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """`decode` of each of latents `[B, …]`, all of one shape, as one batch."""
    import torch

    return list(decode(torch.cat(list(latents))).chunk(len(latents)))
