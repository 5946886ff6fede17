"""What every augmentation offers; the key of a trial is not among what it is told."""

from abc import ABC, abstractmethod

import numpy as np


class Augmentation(ABC):
    """Built from its settings; a copy works in every worker process, so a call may change nothing of it."""

    stretch = 1.0  # at most so many samples of a recording become one of the output; its length stays, where this is 1

    @abstractmethod
    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """`[T]` at 16 kHz, float64 with full scale ±1 (which the output may exceed); all chance comes from `rng`."""

    def recordings(self) -> dict[str, str | int] | None:
        """Which recordings of the user are mixed in, for the record: their folder, number and digest."""
        return None


def at_snr(wav: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`wav` with `noise`, `[T]` both, at a ratio of their powers. Silence has no ratio: it changes nothing."""
    signal_power, noise_power = np.mean(wav**2), np.mean(noise**2)
    if signal_power == 0 or noise_power == 0:
        return wav
    return wav + noise * np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))


def within_full_scale(wav: np.ndarray) -> np.ndarray:
    """Turned down to a peak of 1, if it is louder."""
    return wav / max(1.0, np.abs(wav).max(initial=0.0))
