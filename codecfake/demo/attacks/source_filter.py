"""A source-filter vocoder: pulses and noise through the all-pole filter of linear prediction (Atal & Hanauer 1971).

With `noise_above_hz`, voiced speech has pulses below and noise above a frequency (Makhoul et al. 1978).
"""

from dataclasses import dataclass

import numpy as np

from codecfake.demo.attacks import framing, pitch

WINDOW_HOPS = 4  # window of the analysis
FFT_SIZE = 2048  # leaves the responses of the filters 0.1 s to decay
NOISE_CORRECTION = 1e-5  # of the power: a noise 50 dB below the speech bounds the filter's resonances
TINY = 1e-20  # power of digital silence


@dataclass(frozen=True)
class SourceFilter:
    """Linear prediction with an excitation of pulses where the recording is voiced and of noise elsewhere."""

    name: str
    order: int  # of the prediction
    frame_ms: int
    noise_above_hz: float | None = None  # None: voiced speech has pulses alone

    def spoof(self, wav: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """A spoof `[T]` of the recording `wav`, `[T]`."""
        hop = framing.samples(self.frame_ms, sample_rate)
        predictor, power = linear_prediction(_autocorrelation(wav, hop, self.order))
        excitation = self._excitation(wav, sample_rate, hop, rng)
        parts = framing.frames(excitation, 2 * hop, hop) * framing.hann(2 * hop)
        spectra = np.fft.rfft(parts, FFT_SIZE) / np.fft.rfft(predictor, FFT_SIZE)
        filtered = np.fft.irfft(spectra * np.sqrt(power)[:, None], FFT_SIZE)
        return framing.overlap_add(filtered, hop, hop, len(wav))

    def _excitation(self, wav: np.ndarray, sample_rate: int, hop: int, rng: np.random.Generator) -> np.ndarray:
        """Pulses and noise `[T]`, both of unit power."""
        f0, voiced = pitch.per_sample(pitch.f0(wav, sample_rate, hop), hop, len(wav))
        noise = rng.standard_normal(len(wav))
        voice = pulses(f0, sample_rate)
        if self.noise_above_hz is not None:
            voice = _join_bands(voice, noise, self.noise_above_hz / sample_rate)
        return np.where(voiced, voice, noise)


def linear_prediction(autocorrelation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Prediction filters `[F, P + 1]` with leading 1, and powers of the errors `[F]`, of autocorrelations `[F, P + 1]`.

    The recursion of Levinson and Durbin (Makhoul 1975, equation 38), on all frames at once. It adds in a fixed order;
    the order in LAPACK could depend on the number of threads.
    """
    order = autocorrelation.shape[1] - 1
    predictor = np.zeros_like(autocorrelation)
    predictor[:, 0] = 1
    error = autocorrelation[:, 0].copy()
    for step in range(1, order + 1):
        mirrored = predictor[:, step::-1].copy()
        past = autocorrelation[:, step:0:-1]
        reflection = -np.sum(predictor[:, :step] * past, axis=1) / error
        predictor[:, : step + 1] += reflection[:, None] * mirrored
        error *= 1 - reflection**2
    return predictor, error


def pulses(f0: np.ndarray, sample_rate: int) -> np.ndarray:
    """One pulse `[T]` a period of F0, `[T]` in Hz; periods of N samples have mean 0 and power 1 - 1/N."""
    height = np.sqrt(sample_rate / f0)
    starts = np.diff(np.floor(np.cumsum(f0 / sample_rate)), prepend=0) > 0
    return np.where(starts, height, 0.0) - 1 / height


def _autocorrelation(wav: np.ndarray, hop: int, order: int) -> np.ndarray:
    """Autocorrelations `[F, order + 1]` of windowed frames, as powers per sample."""
    length = WINDOW_HOPS * hop
    window = framing.hann(length)
    parts = framing.frames(wav, length, hop) * window
    powers = np.abs(np.fft.rfft(parts, 2 * length)) ** 2
    values = np.fft.irfft(powers)[:, : order + 1] / np.sum(window**2)
    values[:, 0] = values[:, 0] * (1 + NOISE_CORRECTION) + TINY
    return values


def _join_bands(low: np.ndarray, high: np.ndarray, frequency: float) -> np.ndarray:
    """`low` below a frequency (in cycles per sample) and `high` above it, all `[T]`."""
    below = np.fft.rfftfreq(len(low)) < frequency
    return np.fft.irfft(np.where(below, np.fft.rfft(low), np.fft.rfft(high)), len(low))
