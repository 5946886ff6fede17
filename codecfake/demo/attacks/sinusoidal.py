"""A sinusoidal vocoder: harmonics of F0 as a sum of cosines (McAulay & Quatieri 1986), and noise.

Voiced speech has harmonics up to a frequency and noise above it (the harmonic plus noise model, Stylianou 2001).
"""

from dataclasses import dataclass

import numpy as np

from codecfake.demo.attacks import framing, pitch

WINDOW_MS = 40  # of the analysis: separates harmonics above 100 Hz
SMOOTHING = 9  # frequency bins over which the noise's power is averaged


@dataclass(frozen=True)
class Sinusoidal:
    """Cosines and noise with the amplitudes of the recording.

    The cosines start with the phases of Schroeder 1970, which spread each period's energy and so keep peaks low.
    """

    name: str
    frame_ms: int
    noise_above_hz: float

    def spoof(self, wav: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """A spoof `[T]` of the recording `wav`, `[T]`."""
        hop, length = framing.samples(self.frame_ms, sample_rate), framing.samples(WINDOW_MS, sample_rate)
        f0 = pitch.f0(wav, sample_rate, hop)
        window = framing.hann(length)
        magnitudes = np.abs(np.fft.rfft(framing.frames(wav, length, hop) * window, 2 * length))
        voice = self._voice(f0, 2 * magnitudes / window.sum(), sample_rate, hop, len(wav))
        gains = np.sqrt(_smooth(magnitudes**2) / np.sum(window**2))
        frequencies = np.fft.rfftfreq(2 * length, 1 / sample_rate)
        gains[(f0 > 0)[:, None] & (frequencies < self.noise_above_hz)] = 0
        return voice + _noise(gains, window, hop, rng.standard_normal(len(wav)))

    def _voice(self, f0: np.ndarray, amplitudes: np.ndarray, sample_rate: int, hop: int, size: int) -> np.ndarray:
        """The harmonics `[size]`; `f0` is `[F]`, and `amplitudes`, `[F, bins]`, are those of sines at the bins."""
        f0_of_samples, _ = pitch.per_sample(f0, hop, size)
        phase = 2 * np.pi * np.cumsum(f0_of_samples / sample_rate)
        times, centers = np.arange(size), np.arange(len(f0)) * hop
        wav = np.zeros(size)
        most = int(self.noise_above_hz / pitch.LOWEST_F0)
        for number in range(1, most + 1):
            levels = _at(amplitudes, number * f0 / (sample_rate / 2))
            levels[(f0 == 0) | (number * f0 > self.noise_above_hz)] = 0
            if levels.any():
                wav += np.interp(times, centers, levels) * np.cos(number * phase - np.pi * number * (number - 1) / most)
        return wav


def _at(amplitudes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Each row of `[F, bins]` at its own position, `[F]` from 0 (first bin) to 1 (last bin), between bins linearly."""
    last = amplitudes.shape[1] - 1
    places = np.clip(positions, 0, 1) * last
    lower = np.minimum(places.astype(int), last - 1)
    rows, weight = np.arange(len(amplitudes)), places - lower
    return (1 - weight) * amplitudes[rows, lower] + weight * amplitudes[rows, lower + 1]


def _smooth(powers: np.ndarray) -> np.ndarray:
    """Means over `SMOOTHING` neighboring bins of `[F, bins]`."""
    padded = np.pad(powers, ((0, 0), (SMOOTHING // 2, SMOOTHING // 2)), mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING, axis=1).mean(axis=2)


def _noise(gains: np.ndarray, window: np.ndarray, hop: int, white: np.ndarray) -> np.ndarray:
    """White noise `[T]` through a filter that changes with the frame, of gains `[F, bins]`."""
    length = len(window)
    spectra = np.fft.rfft(framing.frames(white, length, hop) * window, 2 * length)
    parts = np.fft.irfft(spectra * gains)
    return framing.overlap_add(parts, length // 2, hop, len(white)) * (2 * hop / length)
