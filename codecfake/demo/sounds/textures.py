"""Sounds of many small random events: rain, fire, wind."""

import numpy as np

from codecfake.demo.sounds.shapes import band_noise, impulses, resonances, slow_curve


def rain(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Drops that each ring for a moment, over hiss."""
    drops, hiss = source.uniform(150, 900), source.uniform(0.3, 1.0)
    frequencies = source.uniform(900, 6500, 6).tolist()
    falling = impulses(take, time, take.uniform(0, time[-1], int(drops * time[-1])))
    ringing = resonances(falling, 1 / time[1], frequencies, decay=source.uniform(0.001, 0.004))
    return ringing / np.sqrt(np.mean(ringing**2)) + hiss * band_noise(take, time, 800, source.uniform(5000, 7500))


def crackling_fire(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Cracks, each a short burst of noise, over a rumble."""
    cracks, top = source.uniform(12, 40), source.uniform(3000, 7500)
    strength = impulses(take, time, take.uniform(0, time[-1], int(cracks * time[-1])))
    decay = source.uniform(0.002, 0.012)
    envelope = resonances(np.abs(strength), 1 / time[1], [1.0], decay)
    envelope = np.maximum(envelope, 0) / envelope.max()
    bursts = envelope * band_noise(take, time, 400, top)
    rumble = band_noise(take, time, 40, source.uniform(150, 400))
    return bursts / np.sqrt(np.mean(bursts**2)) + source.uniform(0.2, 0.6) * rumble


def wind(source: np.random.Generator, take: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Noise in a few bands that swell and fade on their own."""
    centers, gusts = np.geomspace(source.uniform(120, 250), source.uniform(1200, 3000), 4), source.uniform(2, 6)
    bands = (band_noise(take, time, 0.7 * center, 1.4 * center) / np.sqrt(center) for center in centers)
    return sum((slow_curve(take, time, gusts, 0.05, 1.0) * band for band in bands), np.zeros_like(time))
