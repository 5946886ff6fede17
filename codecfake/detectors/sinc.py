"""The raw-waveform front-end of AASIST (Jung et al. 2022): fixed windowed-sinc band-pass filters, rectified."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from codecfake.detectors import SAMPLE_RATE, FeatureShape
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.front_end_settings import SincSettings

NUM_FILTERS = 70
KERNEL_SIZE = 129


class Sinc(FrontEnd):
    """wav `[B, T]` -> magnitudes of the filters' outputs `[B, F, 70]`, F = T - 128."""

    filters: Tensor  # [70, 1, 129]

    def __init__(self, settings: SincSettings) -> None:
        super().__init__()
        self.register_buffer("filters", mel_spaced_filters(), persistent=False)

    def shape(self, num_samples: int) -> FeatureShape:
        return FeatureShape(num_samples - KERNEL_SIZE + 1, NUM_FILTERS, frames_first=False)

    def forward(self, wav: Tensor) -> Tensor:
        return F.conv1d(wav.unsqueeze(1), self.filters).abs().transpose(1, 2)


def mel_spaced_filters() -> Tensor:
    """Ideal band-pass filters `[70, 1, 129]` under a symmetric Hamming window, bands adjacent and equal in mel."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, NUM_FILTERS + 1, dtype=torch.float64) / 2595) - 1)
    time = torch.arange(KERNEL_SIZE, dtype=torch.float64) - (KERNEL_SIZE - 1) / 2
    cutoff = 2 * edges[:, None] / SAMPLE_RATE
    low_pass = cutoff * torch.sinc(cutoff * time)
    window = torch.hamming_window(KERNEL_SIZE, periodic=False, dtype=torch.float64)
    return ((low_pass[1:] - low_pass[:-1]) * window).float().unsqueeze(1)
