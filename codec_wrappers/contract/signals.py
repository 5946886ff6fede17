"""Test signals for codecs: an imitation of speech, and unusual signals that occur in recordings."""

from collections.abc import Callable

import torch
from torch import Tensor

NUM_HARMONICS = 8


def speech_like(sample_rate: int, batch: int, num_samples: int, seed: int) -> Tensor:
    """Harmonics of a varying pitch with noise, at the level of speech, `[batch, num_samples]`; all rows differ."""
    rng = torch.Generator().manual_seed(seed)
    wander = torch.randn(batch, num_samples, generator=rng).cumsum(dim=1) * 0.02
    pitch = 120 + 60 * torch.rand(batch, 1, generator=rng) + wander
    phase = (2 * torch.pi * pitch / sample_rate).cumsum(dim=1)
    syllables = 0.6 + 0.4 * torch.sin(phase / 40)  # about four per second
    voiced = torch.stack([torch.sin(n * phase) / n for n in range(1, NUM_HARMONICS + 1)]).sum(dim=0)
    return 0.1 * syllables * voiced + 0.01 * torch.randn(batch, num_samples, generator=rng)


def silence(speech: Tensor) -> Tensor:
    """Every sample is zero."""
    return torch.zeros_like(speech)


def whisper(speech: Tensor) -> Tensor:
    """Speech lowered by 120 dB, far below one step of 16 bits."""
    return 1e-6 * speech


def clipping(speech: Tensor) -> Tensor:
    """Speech amplified until most samples are ±1."""
    return (100 * speech).clamp(-1, 1)


def square(speech: Tensor) -> Tensor:
    """A square wave of ±1 with a period of 64 samples."""
    return torch.where(torch.arange(speech.shape[1]) % 64 < 32, 1.0, -1.0).expand_as(speech)


def offset(speech: Tensor) -> Tensor:
    """Every sample is 0.5."""
    return torch.full_like(speech, 0.5)


def impulse(speech: Tensor) -> Tensor:
    """One sample of 1 in the middle of silence."""
    wav = torch.zeros_like(speech)
    wav[:, wav.shape[1] // 2] = 1.0
    return wav


ODD: tuple[Callable[[Tensor], Tensor], ...] = (silence, whisper, clipping, square, offset, impulse)
