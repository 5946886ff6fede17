"""Sounds with a pitch that changes: birds, sirens, engines."""

import numpy as np

from codecfake.demo.sounds.shapes import band_noise, resonances, slow_curve


def chirping_birds(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Short whistles that glide between two pitches of the bird."""
    low, glide, length = source.uniform(1800, 3200), source.uniform(1.15, 1.8), source.uniform(0.05, 0.15)
    wav = np.zeros_like(time)
    for start in take.uniform(0, time[-1] - length, source.integers(6, 14)):
        phase = np.clip((time - start) / length, 0, 1)
        pitch = low * glide ** (phase if take.random() < 0.7 else 1 - phase)
        wav += np.sin(np.pi * phase) ** 2 * np.sin(2 * np.pi * np.cumsum(pitch) * time[1]) * take.uniform(0.4, 1)
    return wav + source.uniform(0.02, 0.06) * band_noise(take, time, 500, 7000)


def siren(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """A tone with harmonics that rises and falls in a fixed period."""
    low, high = source.uniform(400, 700), source.uniform(900, 1600)
    turns = source.uniform(0.6, 4) * time + take.random()
    pitch = low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * turns))
    phase = 2 * np.pi * np.cumsum(pitch) * time[1]
    harmonics = source.uniform(0.1, 0.8, 4)
    tone = np.sin(phase) + sum(level * np.sin(n * phase) for n, level in enumerate(harmonics, start=2))
    return slow_curve(take, time, 4, 0.6, 1.0) * tone


def engine(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Explosions at an unsteady rate, heard through the resonances of an exhaust."""
    rate, unsteady = source.uniform(25, 70), source.uniform(0.02, 0.08)
    strokes = np.cumsum(slow_curve(take, time, 12, 1 - unsteady, 1 + unsteady) * rate) * time[1]
    explosions = np.diff(np.floor(strokes), prepend=0.0) * take.uniform(0.6, 1.0, len(time))
    exhaust = resonances(explosions, 1 / time[1], source.uniform(80, 1800, 6).tolist(), source.uniform(0.004, 0.015))
    return exhaust / np.sqrt(np.mean(exhaust**2)) + source.uniform(0.1, 0.5) * band_noise(take, time, 200, 4000)
