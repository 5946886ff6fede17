"""Overlapping frames of a waveform, and back."""

import numpy as np


def samples(milliseconds: int, sample_rate: int) -> int:
    """The number of whole samples in a duration."""
    return milliseconds * sample_rate // 1000


def frames(wav: np.ndarray, length: int, hop: int) -> np.ndarray:
    """Frames `[F, length]`, centered on every `hop`-th sample from the first on; beyond its ends, `wav` is mirrored.

    There are `floor(T / hop) + 1` frames.
    """
    padded = np.pad(wav, (length // 2, length - length // 2), mode="symmetric")
    count = len(wav) // hop + 1
    return np.lib.stride_tricks.sliding_window_view(padded, length)[: count * hop : hop]


def overlap_add(parts: np.ndarray, center: int, hop: int, num_samples: int) -> np.ndarray:
    """The sum `[num_samples]` of frames `[F, length]` whose sample `center` falls on every `hop`-th sample."""
    count, length = parts.shape
    total = np.zeros(center + count * hop + length + num_samples)
    for number, part in enumerate(parts):
        total[number * hop : number * hop + length] += part
    return total[center : center + num_samples]


def hann(length: int) -> np.ndarray:
    """A periodic Hann window `[length]`; copies that are half a length apart add up to 1."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
