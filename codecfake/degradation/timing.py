"""Changes of length: silence at the ends, speed."""

import numpy as np

from codecfake.features.augmentation.settings import SpeedSettings
from codecfake.features.augmentation.speed import Speed

FRAME = 160  # samples: 10 ms, as the audit measures silence


def trim(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` without the frames at its ends that are more than `value` dB below the loudest frame of the recording.

    A fake is cut where its recording is cut, so that both stay equally long. Digital silence is left as it is.
    """
    start, end = speech_bounds(recording, value)
    return wav[start:end]


def speech_bounds(wav: np.ndarray, threshold_db: int) -> tuple[int, int]:
    """First sample of speech and the one after the last; an incomplete last frame counts as speech if the one before
    it does."""
    frames = wav[: len(wav) // FRAME * FRAME].astype(np.float64).reshape(-1, FRAME)
    power = frames.var(axis=1)
    if not power.any():
        return 0, len(wav)
    loud = np.flatnonzero(power > power.max() * 10 ** (-threshold_db / 10))
    last = int(loud[-1]) + 1
    return int(loud[0]) * FRAME, len(wav) if last == len(power) else last * FRAME


def speed(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` at `value` percent of its speed, its pitch with it; 110 is faster and shorter."""
    return Speed(SpeedSettings(value / 100, value / 100))(wav, rng)
