"""The parts that sound events are made of: noise in a band, curves of random slow changes, resonances."""

from collections.abc import Sequence

import numpy as np
from scipy import signal


def band_noise(rng: np.random.Generator, time: np.ndarray, low: float, high: float) -> np.ndarray:
    """White noise `[T]` between two frequencies in Hz, with an RMS of 1."""
    rate = 1 / (time[1] - time[0])
    sections = signal.butter(2, (low, high), "bandpass", fs=rate, output="sos")
    wav = signal.sosfilt(sections, rng.standard_normal(len(time)))
    return wav / np.sqrt(np.mean(wav**2))


def slow_curve(rng: np.random.Generator, time: np.ndarray, changes: float, low: float, high: float) -> np.ndarray:
    """A curve `[T]` that goes straight from one value to the next, `changes` of them a second, drawn between two."""
    number = int(time[-1] * changes) + 2
    return np.interp(time * changes, np.arange(number), rng.uniform(low, high, number))


def resonances(wav: np.ndarray, rate: float, frequencies: Sequence[float], decay: float) -> np.ndarray:
    """The sum `[T]` of resonators, in Hz, that ring for `decay` seconds to 1/e after each impulse of `wav`."""
    radius = np.exp(-1 / (decay * rate))
    total = np.zeros_like(wav)
    for frequency in frequencies:
        pole = radius * np.exp(2j * np.pi * frequency / rate)
        total += signal.lfilter([1.0], [1.0, -2 * pole.real, radius**2], wav) * np.sin(np.angle(pole))
    return total


def impulses(rng: np.random.Generator, time: np.ndarray, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Impulses `[T]` of random strength and sign at `times` in seconds."""
    wav = np.zeros_like(time)
    places = np.searchsorted(time, np.asarray(times))
    places = places[places < len(time)]
    np.add.at(wav, places, rng.uniform(0.3, 1.0, len(places)) * rng.choice((-1.0, 1.0), len(places)))
    return wav
