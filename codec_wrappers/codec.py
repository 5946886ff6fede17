"""The interface that every codec wrapper offers, and no more than the workflow needs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Gain(Enum):
    """What a codec expects of its input's level. The workflow applies it before, and undoes it after."""

    NONE = "none"
    UNIT_RMS = "rms"  # FunCodec: x / (sqrt(mean(x²)) + 1e-8)
    PEAK_095 = "peak"  # HiFi-Codec as Wu et al. ran it: 0.95 · x / max|x|


@dataclass(frozen=True)
class Reconstruction:
    """A training-mode round trip: `wav` is `[B, T']`, `quantizer_loss` a scalar to add to the loss."""

    wav: Tensor
    quantizer_loss: Tensor


class Codec(ABC):
    """A neural codec: waveform to codes and back.

    Shapes: wav `[B, T]`, float32, at `sample_rate`, T a multiple of `hop_length`;
    codes `[B, Q, F]`, int64, coarse first. Rows of one batch never influence each other.
    """

    sample_rate: int | None  # Hz; None: any rate, taken as it comes
    hop_length: int  # samples per frame
    num_quantizers: int  # the most codebooks that `encode` gives
    bits_per_code: float
    gain: Gain = Gain.NONE
    any_length: bool = False  # T need not be a multiple: the codec pads inside, in its own way
    network: torch.nn.Module | None = None  # holds the weights; None if there are none to train

    @abstractmethod
    def encode(self, wav: Tensor) -> Tensor:
        """Codes `[B, num_quantizers, F]` of wav `[B, T]`."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """Waveform `[B, T']` of codes `[B, Q, F]`; the first Q codebooks alone where codebooks nest."""

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        """A differentiable round trip of wav `[B, T]` in training mode, codebooks updated as the codec does.

        New codebooks start from the first batch. Without `quantize`, the latent is decoded as it is.
        """
        raise TypeError(f"{type(self).__name__} has no weights to train")

    def bitrate_kbps(self, quantizers: int) -> float:
        """True bit rate in kbit/s of `quantizers` codebooks."""
        if self.sample_rate is None:
            raise TypeError(f"{type(self).__name__} has no rate of its own, hence no bit rate")
        return quantizers * self.bits_per_code * self.sample_rate / self.hop_length / 1000
