"""Recorded noise and recorded rooms: a file of a folder is drawn for each utterance, the same at every step."""

from dataclasses import dataclass

import numpy as np

from codecfake.audio.decoding import Recording
from codecfake.audio.waveforms import AudioError, resample
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import at_snr
from codecfake.features.augmentation.fir import convolve

DIRECT = round(0.0025 * SAMPLE_RATE)  # samples: the direct sound reaches 2.5 ms to both sides of the largest sample


@dataclass(frozen=True)
class Response:
    """A room impulse response `[T]` from its direct sound on."""

    direct: np.ndarray  # zero after the direct sound
    tail: np.ndarray  # zero until there
    delay: int  # of the largest sample


def noise(wav: np.ndarray, file: Recording, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` with a random part of a recording at a signal-to-noise ratio of `value` dB over the whole utterance."""
    return at_snr(wav, noise_part(file, len(wav), rng), value)


def noise_part(file: Recording, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """`[num_samples]` at 16 kHz from a random place of a recording that is not silent; channels are averaged.

    A recording that is too short is repeated from there. A silent part is moved to the next sound.
    """
    sound = resample(file.mono.astype(np.float64), file.sample_rate, SAMPLE_RATE)
    is_long = len(sound) > num_samples
    start = int(rng.integers(len(sound) - num_samples + 1 if is_long else len(sound)))
    part = _part(sound, start, num_samples)
    if not part.any():
        places = np.flatnonzero(sound)
        part = _part(sound, int(places[np.searchsorted(places, start) % len(places)]), num_samples)
    return part


def room(wav: np.ndarray, file: Recording, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` in a recorded room at a direct-to-reverberant ratio of `value` dB, at the power of the input.

    One channel is drawn. Only the level of its reverberation changes from step to step. The tail after the end is cut.
    """
    parts = response(file.samples[:, int(rng.integers(file.samples.shape[1]))], file.sample_rate)
    scale = np.sqrt(np.sum(parts.direct**2) / np.sum(parts.tail**2) / 10 ** (value / 10))
    wet = convolve(wav, parts.direct + scale * parts.tail, parts.delay)
    power = np.mean(wet**2)
    return wet * np.sqrt(np.mean(wav**2) / power) if power > 0 else wet


def response(channel: np.ndarray, sample_rate: int) -> Response:
    """The parts of an impulse response. Raises AudioError if it is silent, or has no reverberation."""
    taps = resample(channel.astype(np.float64), sample_rate, SAMPLE_RATE)
    if not taps.any():
        raise AudioError("all samples of a channel are zero")
    peak = int(np.abs(taps).argmax())
    taps = taps[max(0, peak - DIRECT) :]
    delay = min(peak, DIRECT)
    tail = np.where(np.arange(len(taps)) > delay + DIRECT, taps, 0.0)
    if not tail.any():
        raise AudioError(f"it has no reverberation after the direct sound ({1000 * DIRECT / SAMPLE_RATE:g} ms)")
    return Response(taps - tail, tail, delay)


def require_noise(file: Recording) -> None:
    """Raise AudioError if a recording cannot be mixed with speech."""
    _require_finite(file)
    if not file.mono.any():
        raise AudioError("all samples are zero")


def require_room(file: Recording) -> None:
    """Raise AudioError if a channel is no room impulse response."""
    _require_finite(file)
    for channel in file.samples.T:
        response(channel, file.sample_rate)


def _require_finite(file: Recording) -> None:
    if not np.isfinite(file.samples).all():
        raise AudioError("it has samples that are not finite")


def _part(sound: np.ndarray, start: int, num_samples: int) -> np.ndarray:
    return np.resize(np.roll(sound, -start) if start + num_samples > len(sound) else sound[start:], num_samples)
