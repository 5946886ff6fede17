"""The mel front-end of Mel-LCNN (Xie et al. 2025): a power mel spectrogram without logarithm."""

import math

import torch
from torch import Tensor

from codecfake.detectors import SAMPLE_RATE, FeatureShape
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.front_end_settings import MelSettings

N_FFT = 512
HOP_LENGTH = 128
NUM_BANDS = 80
LOG_FLOOR = 1e-6  # about the power of one 16-bit step in a band


class Mel(FrontEnd):
    """wav `[B, T]` -> `[B, F, 80]`, F = T // 128 + 1.

    Periodic Hann window of 512, centered frames with reflection, 80 triangular HTK bands from 0 to 8 kHz.
    """

    window: Tensor
    filters: Tensor  # [257, 80]

    def __init__(self, settings: MelSettings) -> None:
        super().__init__()
        self._log = settings.log
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("filters", htk_filters(), persistent=False)

    def shape(self, num_samples: int) -> FeatureShape:
        return FeatureShape(num_samples // HOP_LENGTH + 1, NUM_BANDS, frames_first=True)

    def forward(self, wav: Tensor) -> Tensor:
        spectrum = torch.stft(wav, N_FFT, HOP_LENGTH, window=self.window, center=True, return_complex=True)
        mel = spectrum.abs().square().transpose(1, 2) @ self.filters
        return (mel + LOG_FLOOR).log() if self._log else mel


def htk_filters() -> Tensor:
    """Triangular filters `[257, 80]` of height 1, their corners equally spaced on the HTK mel scale.

    In single precision, like the published features; this changes narrow bands by 1e-4 of their value.
    """
    frequencies = torch.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)[:, None]
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (torch.linspace(0, top, NUM_BANDS + 2) / 2595) - 1)
    low, center, high = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (frequencies - low) / (center - low), (high - frequencies) / (high - center)
    return torch.minimum(rising, falling).clamp_min(0)
