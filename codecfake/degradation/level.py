"""Noise, clipping and rooms: the length stays, samples change."""

import numpy as np

from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import at_snr
from codecfake.features.augmentation.fir import convolve


def noise(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` with white noise at a signal-to-noise ratio of `value` dB over the whole utterance."""
    return at_snr(wav, rng.standard_normal(len(wav)), value)


def clipping(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` clipped at `value` percent of its own peak."""
    limit = value / 100 * np.abs(wav).max(initial=0.0)
    return np.clip(wav, -limit, limit)


def room(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` in a random room with a reverberation time of `value` ms, at the power of the input.

    The impulse response is the statistical model of Polack 1988: the direct sound, and as much energy in white noise
    that falls by 60 dB in the reverberation time. The tail after the end is cut.
    """
    times = np.arange(1, round(value / 1000 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / (value / 1000))
    wet = convolve(wav, np.concatenate([[1.0], tail / np.linalg.norm(tail)]), 0)
    power = np.mean(wet**2)
    return wet * np.sqrt(np.mean(wav**2) / power) if power > 0 else wet
