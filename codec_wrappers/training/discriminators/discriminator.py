"""The interface of discriminators."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

Judgment = tuple[Tensor, list[Tensor]]  # logits, high for recordings, and feature maps


class Discriminator(nn.Module, ABC):
    """One or more discriminators of one kind."""

    peak: float | None = None  # wavs are first centered and scaled to this peak; None: they stay as they are

    def forward(self, wav: Tensor) -> list[Judgment]:
        """The judgment of wav `[B, T]` by each discriminator."""
        return self.judge(wav if self.peak is None else _at_peak(wav, self.peak))

    @abstractmethod
    def judge(self, wav: Tensor) -> list[Judgment]: ...


def _at_peak(wav: Tensor, peak: float) -> Tensor:
    centered = wav - wav.mean(dim=1, keepdim=True)
    return peak * centered / (centered.abs().amax(dim=1, keepdim=True) + 1e-9)
