"""F0 of a recording by DIO (Morise et al. 2009), refined by StoneMask, as in WORLD; no samples pass through here."""

import numpy as np

LOWEST_F0, HIGHEST_F0 = 60.0, 500.0  # Hz
DECIMATION = 4  # for candidates alone; StoneMask refines them at the full rate, so only their time changes


def f0(wav: np.ndarray, sample_rate: int, frame_ms: float) -> np.ndarray:
    """F0 in Hz, `[F]`, of frame centers every `frame_ms` from the first sample on; 0 where `wav`, `[T]`, is unvoiced.

    It has `floor(T / frame) + 1` frames.
    """
    import pyworld

    limits = {"f0_floor": LOWEST_F0, "f0_ceil": HIGHEST_F0, "frame_period": frame_ms, "speed": DECIMATION}
    candidates, seconds = pyworld.dio(wav, sample_rate, **limits)
    return pyworld.stonemask(wav, candidates, seconds, sample_rate)


def per_sample(f0_hz: np.ndarray, hop: int, num_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz and voicing of each sample, both `[T]`; F0 is interpolated through unvoiced frames.

    A sample is voiced if its nearest frame is. Without any voiced frame, F0 is `LOWEST_F0`.
    """
    voiced = f0_hz > 0
    if not voiced.any():
        return np.full(num_samples, LOWEST_F0), np.zeros(num_samples, dtype=bool)
    times, centers = np.arange(num_samples), np.arange(len(f0_hz)) * hop
    nearest = np.minimum((times + hop // 2) // hop, len(f0_hz) - 1)
    return np.interp(times, centers[voiced], f0_hz[voiced]), voiced[nearest]
