"""What every discriminator offers."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

Judgment = tuple[Tensor, list[Tensor]]  # logits, high for recordings, and feature maps


class Discriminator(nn.Module, ABC):
    """One or more discriminators of one kind."""

    peak: float | None = None  # level that wavs are brought to first, their mean taken off; None: as they come

    def forward(self, wav: Tensor) -> list[Judgment]:
        """Judgments of wav `[B, T]`, one of each discriminator."""
        return self.judge(wav if self.peak is None else _at_peak(wav, self.peak))

    @abstractmethod
    def judge(self, wav: Tensor) -> list[Judgment]: ...


def _at_peak(wav: Tensor, peak: float) -> Tensor:
    centered = wav - wav.mean(dim=1, keepdim=True)
    return peak * centered / (centered.abs().amax(dim=1, keepdim=True) + 1e-9)
