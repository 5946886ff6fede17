"""The interface of codec wrappers: what the workflow needs, and no more.

It imports no torch, because settings and outside wrappers are also checked where torch is not installed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from codecfake.base.portions import Portion


class Gain(Enum):
    """The input level that a codec expects. The workflow sets it before the codec and undoes it after."""

    NONE = "none"
    UNIT_RMS = "rms"  # FunCodec: x / (sqrt(mean(x²)) + 1e-8)
    PEAK_095 = "peak"  # HiFi-Codec as Wu et al. ran it: 0.95 · x / max|x|
    LUFS_16 = "lufs"  # DAC's `compress`: a loudness of -16 LUFS
    DBFS_25 = "dbfs"  # VibeVoice: an RMS of -25 dB of full scale, or less if peaks would exceed 1


class Shape(Protocol):
    """The shape of a codec's codes, which its settings define before the network is built.

    A shape may also have `code_strides`, see `Codec`.
    """

    @property
    def sample_rate(self) -> int | None:
        """Hz; None: the codec takes any rate."""

    @property
    def hop_length(self) -> int:
        """Samples per frame."""

    @property
    def num_quantizers(self) -> int:
        """The number of codebooks that `encode` returns."""

    @property
    def bits_per_code(self) -> float | None:
        """None: latents, which have no bits."""


def bitrate_kbps(shape: Shape, quantizers: int) -> float | None:
    """True bit rate in kbit/s of `quantizers` codebooks; None for latents.

    Raises TypeError for a codec without a sample rate.
    """
    if shape.sample_rate is None:
        raise TypeError(f"{type(shape).__name__} has no sample rate and therefore no bit rate")
    if shape.bits_per_code is None:
        return None
    strides = getattr(shape, "code_strides", None)
    codes = quantizers if strides is None else sum(1 / stride for stride in strides[:quantizers])
    return codes * shape.bits_per_code * shape.sample_rate / shape.hop_length / 1000


class RowEnds(Protocol):
    """Tells a network where the rows of a batch end, so that it computes what it gives for each row alone."""

    slack_frames: int  # of zeros that the longest row needs after it

    def rows(self, wav: Tensor, lengths: Sequence[int]) -> AbstractContextManager[None]:
        """Inside, the codec encodes wav `[B, T]`, whose rows have these lengths, and decodes the codes."""

    def cut(self, wav: Tensor) -> Tensor:
        """A decoded wav `[B, T']`, inside `rows`, with zeros after the end of each row."""


class Codec(ABC):
    """A neural codec: waveform to codes and back. Resynthesis needs nothing else.

    Shapes: wav `[B, T]`, float32, at `sample_rate`, T a multiple of `hop_length`;
    codes `[B, Q, F]`, int64, coarse first. The rows of a batch must not influence each other.

    A codec may represent speech by continuous latents instead: then `bits_per_code` is None, `num_quantizers` is 1, and
    `encode` and `decode` have latents `[B, 1, F, D]`, float32, in place of codes.
    """

    sample_rate: int | None  # Hz; None: any rate
    hop_length: int  # samples per frame
    num_quantizers: int  # the number of codebooks that `encode` returns
    bits_per_code: float | None  # None: its representation is continuous latents
    code_strides: tuple[int, ...] | None = None  # frames per code, for each codebook, whose codes repeat; None: one
    gain: Gain = Gain.NONE
    any_length: bool = False  # T need not be a multiple of `hop_length`: the codec pads
    # seconds; with `row_ends`, if that is not None, zeros after longer recordings change no code, and no sample but for
    # rounding, so a batch may be padded with them; None: a batch has recordings of equal length alone
    shortest_padded: float | None = None
    context_duration: float | None = 1.0  # seconds that a frame sees on both sides; None: do not cut long input
    network: torch.nn.Module | None = None  # moves to the device of a job; None: the codec runs on the CPU

    @abstractmethod
    def encode(self, wav: Tensor) -> Tensor:
        """Codes `[B, num_quantizers, F]` of wav `[B, T]`."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Waveform `[B, T']` of codes `[B, Q, F]`; Q may be smaller than `num_quantizers` if codebooks nest."""

    def encode_first(self, wav: Tensor, number: int) -> Tensor:
        """Codes `[B, number, F]` of the first codebooks; a codec with many can override this to skip the others."""
        return self.encode(wav)[:, :number]

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        """One waveform `[B, T']` for each number of quantizers.

        Equal to those of `decode` up to float noise; a codec can decode them as one batch, which is faster on a GPU.
        """
        return [self.decode(codes[:, :number]) for number in quantizers]

    def row_ends(self) -> RowEnds | None:
        """What tells `network` where the rows of a padded batch end; None: it need not know.

        Called once, when `network` has its final layers and weights.
        """
        return None

    @property
    def has_own_level(self) -> bool:
        """Whether `decode` ends by dividing by `own_level`."""
        return False

    def decode_unleveled(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        """As `decode_all`, but not yet divided by `own_level`."""
        return self.decode_all(codes, quantizers)

    def own_level(self, wav: Tensor, num_samples: int) -> Tensor:
        """The level `[B, 1]` of wav `[B, T']`, decoded from recordings of `num_samples`. Any thread may measure it."""
        return wav.new_ones(len(wav), 1)

    def bitrate_kbps(self, quantizers: int) -> float | None:
        """True bit rate in kbit/s of `quantizers` codebooks; None for latents.

        Raises TypeError if the codec has no sample rate.
        """
        return bitrate_kbps(self, quantizers)


@dataclass(frozen=True)
class Reconstruction:
    """A training-mode round trip: `wav` is `[B, T']`, `quantizer_loss` a scalar to add to the loss."""

    wav: Tensor
    quantizer_loss: Tensor
    semantic: Tensor | None = None  # [B, F, D]: compared with a teacher's features


class TrainableCodec(Codec):
    """A codec that can be trained here."""

    sample_rate: int
    bits_per_code: float
    network: torch.nn.Module  # holds the weights
    frozen: frozenset[str] = frozenset()  # the parts that training does not change
    takes_portions: ClassVar[bool] = False  # whether `reconstruct` also works with a `portion`
    portion: Portion | None = None  # `reconstruct` gets these rows of a batch, and other processes the others

    @abstractmethod
    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        """A differentiable round trip of wav `[B, T]` in training mode; it also updates the codebooks.

        New codebooks start from the first batch. Without `quantize`, the latent is decoded unquantized.
        Quantizes in float32 (`base.precision.exact`). With a `portion`, the codebooks learn from the whole batch, of
        which `wav` has some rows, and the losses of all processes add up (`networks.whole_batches`).
        """

    def parts(self) -> dict[str, torch.nn.Module]:
        """The parts of `network` that training can freeze."""
        network: Any = self.network
        return {"encoder": network.encoder, "quantizer": network.quantizer, "decoder": network.decoder}

    def freeze(self, names: Collection[str]) -> None:
        """Exclude the named parts, and no others, from training. Raises ValueError for an unknown name."""
        parts = self.parts()
        unknown = sorted(set(names) - set(parts))
        if unknown:
            raise ValueError(f"{type(self).__name__} has no part {unknown[0]!r} to freeze; it has {', '.join(parts)}")
        for name, part in parts.items():
            part.requires_grad_(name not in names)
        self.frozen = frozenset(names)

    def start_training(self) -> None:
        """Put `network` in training mode, except a frozen quantizer: its codebooks would move without gradients."""
        self.network.train()
        if "quantizer" in self.frozen:
            self.parts()["quantizer"].eval()

    def use_decoder(self, name: str | None) -> None:
        """Decode with a helper, which stays until `drop_helpers`; None: with the codec's own decoder.

        Raises ValueError if the codec has no such helper.
        """
        if name is not None:
            raise ValueError(f"{type(self).__name__} has no decoder {name!r} besides its own; set `decoder: null`")

    def fit_decoder(self, wavs: Iterable[Tensor]) -> None:  # noqa: B027 (most have nothing to do)
        """Set the decoder's input statistics, if it has any, from batches of wavs `[B, T]`."""

    def drop_helpers(self) -> None:  # noqa: B027
        """Remove from `network` what encoding and decoding do not need."""


def decode_together(latents: Sequence[Tensor], decode: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """`decode` for each of the latents `[B, …]`, which have the same shape, as one batch."""
    import torch

    return list(decode(torch.cat(list(latents))).chunk(len(latents)))
