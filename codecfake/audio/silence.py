"""Whether nothing is left of a recording once it is written: as 16-bit samples, at the rate of detectors."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from codecfake.audio import waveforms
from codecfake.audio.settings import DETECTOR_RATE

BLOCK = 1 << 16  # samples; nearly always, the first block decides


def is_constant_when_rounded(wav: np.ndarray) -> bool:
    """Whether all samples of `[T]`, finite, are equal in 16 bit."""
    return _is_constant(_blocks(wav))


def is_constant_for_detectors(wav: np.ndarray, sample_rate: int) -> bool:
    """Whether all samples of `[T]`, finite, are equal in 16 bit after resampling to the rate of detectors."""
    return _is_constant(_resampled(wav, sample_rate))


def _is_constant(blocks: Iterable[np.ndarray]) -> bool:
    first: np.ndarray | None = None
    for block in blocks:
        samples, _ = waveforms.to_int16(block)
        first = samples[:1] if first is None or not len(first) else first
        if (samples != first).any():
            return False
    return True


def _blocks(wav: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(wav), BLOCK):
        yield wav[start : start + BLOCK]


def _resampled(wav: np.ndarray, sample_rate: int) -> Iterator[np.ndarray]:
    """The output of `waveforms.resample`, in blocks."""
    stream = soxr.ResampleStream(sample_rate, DETECTOR_RATE, 1, dtype="float64", quality=waveforms.QUALITY)
    for block in _blocks(wav):
        yield stream.resample_chunk(block.astype(np.float64))
    yield stream.resample_chunk(np.zeros(0), last=True)
