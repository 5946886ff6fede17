"""F0 of a recording by DIO (Morise et al. 2009), refined by StoneMask, as in WORLD; no samples pass through here."""

import numpy as np

LOWEST_F0, HIGHEST_F0 = 60.0, 500.0  # Hz
DECIMATION = 4  # DIO finds candidates at a quarter of the rate, in an eighth of the time; StoneMask uses the full rate


def f0(wav: np.ndarray, sample_rate: int, hop: int) -> np.ndarray:
    """F0 in Hz, `[F]`, at every `hop`-th sample of `wav`, `[T]`, from the first on; 0 where it is unvoiced.

    There are `floor(T / hop) + 1` frames.
    """
    import pyworld

    padded = np.pad(wav, (0, hop), mode="symmetric")  # or rounding could leave the last frame out
    limits = {"f0_floor": LOWEST_F0, "f0_ceil": HIGHEST_F0, "frame_period": 1000 * hop / sample_rate}
    candidates, seconds = pyworld.dio(padded, sample_rate, speed=DECIMATION, **limits)
    return pyworld.stonemask(padded, candidates, seconds, sample_rate)[: len(wav) // hop + 1]


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
