"""The interface of augmentations. It does not include the key of a trial, so both keys are treated alike."""

from abc import ABC, abstractmethod

import numpy as np


class Augmentation(ABC):
    """Built from its settings. Every worker process has a copy, so a call must not change the object."""

    stretch = 1.0  # the most input samples per output sample; 1 if the length is unchanged

    @abstractmethod
    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change `[T]` at 16 kHz, float64, full scale ±1 (which the output may exceed); all chance comes from `rng`."""

    def recordings(self) -> dict[str, str | int] | None:
        """The user's recordings that it mixes in, for the training record: folder, number of files and digest."""
        return None


def at_snr(wav: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`wav` plus `noise`, both `[T]`, at a signal-to-noise ratio. If either is silent, `wav` is returned unchanged."""
    signal_power, noise_power = np.mean(wav**2), np.mean(noise**2)
    if signal_power == 0 or noise_power == 0:
        return wav
    return wav + noise * np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))


def within_full_scale(wav: np.ndarray) -> np.ndarray:
    """Scale a waveform down to a peak of 1 if its peak is higher."""
    return wav / max(1.0, np.abs(wav).max(initial=0.0))
