"""Finite impulse response filters: windowed sincs of odd length, whose delay is a whole number of samples."""

import numpy as np

from codecfake.detectors import SAMPLE_RATE


def low_pass(cutoff_hz: float, window: np.ndarray) -> np.ndarray:
    """Taps of a low-pass filter with gain 1 at 0 Hz and gain 1/2 at the cutoff."""
    taps = _sinc(cutoff_hz, len(window)) * window
    return taps / taps.sum()


def high_pass(cutoff_hz: float, window: np.ndarray) -> np.ndarray:
    """Taps of a high-pass filter: the complement of the low-pass filter."""
    return _impulse(len(window)) - low_pass(cutoff_hz, window)


def band_stop(low_hz: float, high_hz: float, window: np.ndarray) -> np.ndarray:
    """Taps of a filter that removes one band, with gain 1 at 0 Hz."""
    taps = (_impulse(len(window)) - _sinc(high_hz, len(window)) + _sinc(low_hz, len(window))) * window
    return taps / taps.sum()


def convolve(wav: np.ndarray, taps: np.ndarray, delay: int) -> np.ndarray:
    """Filter `wav` `[T]` and keep its length; `delay` is the tap at time zero."""
    size = 1 << (len(wav) + len(taps) - 2).bit_length()
    whole = np.fft.irfft(np.fft.rfft(wav, size) * np.fft.rfft(taps, size), size)
    return whole[delay : delay + len(wav)]


def peak_gain(taps: np.ndarray, num_frequencies: int = 4096) -> float:
    """The greatest gain over frequencies."""
    return float(np.abs(np.fft.rfft(taps, 2 * num_frequencies)).max())


def _sinc(cutoff_hz: float, num_taps: int) -> np.ndarray:
    relative = 2 * cutoff_hz / SAMPLE_RATE
    return relative * np.sinc(relative * (np.arange(num_taps) - num_taps // 2))


def _impulse(num_taps: int) -> np.ndarray:
    return np.arange(num_taps) == num_taps // 2
