"""Sounds of things that are struck and ring (modal synthesis): knocks on wood, bells."""

import numpy as np

from codecfake.demo.sounds.shapes import band_noise, impulses, resonances

# hum, prime, tierce, quint, nominal and higher partials of a bell, relative to the prime
BELL = (0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.2)


def door_wood_knock(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """A few knocks in a rhythm; wood damps its modes quickly."""
    modes, decay = source.uniform(90, 1500, 7), source.uniform(0.01, 0.04)
    rhythm = np.cumsum(source.uniform(0.14, 0.3) * take.uniform(0.85, 1.15, 8))
    knocks = impulses(take, time, rhythm[: take.integers(4, 8)] - rhythm[0] + 0.03)
    ringing = resonances(knocks, 1 / time[1], modes.tolist(), decay)
    contact = resonances(np.abs(knocks), 1 / time[1], [1.0], 0.002) * band_noise(take, time, 300, 5000)
    return _leveled(ringing) + source.uniform(0.2, 0.6) * _leveled(contact)


def church_bells(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """One bell that is struck two to four times; high partials fade first."""
    prime, decay = source.uniform(180, 700), source.uniform(0.5, 1.5)
    strengths = source.uniform(0.3, 1.0, len(BELL))
    times = np.sort(take.uniform(0.02, 0.85 * time[-1], take.integers(2, 5)))
    strikes = impulses(take, time, [0.02, *times])
    partials = zip(BELL, strengths, strict=True)
    rings = (
        strength * resonances(strikes, 1 / time[1], [prime * ratio], decay / ratio) for ratio, strength in partials
    )
    return sum(rings, np.zeros_like(time))


def _leveled(wav: np.ndarray) -> np.ndarray:
    return wav / np.sqrt(np.mean(wav**2))
