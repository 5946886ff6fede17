"""Silence is what is left of a recording in 16 bit, at the rate of detectors."""

import numpy as np
import pytest

from codecfake.audio import silence, waveforms

SAMPLE_RATES = [8000, 16_000, 22_050, 44_100, 48_000]


@pytest.mark.parametrize("rate", SAMPLE_RATES)
def test_what_is_tested_is_what_the_resampler_writes(rate: int, rng: np.random.Generator) -> None:
    wav = rng.uniform(-0.5, 0.5, 4 * silence.BLOCK + 7).astype(np.float32)
    resampled = waveforms.resample(wav, rate, 16_000)
    np.testing.assert_array_equal(np.concatenate(list(silence._resampled(wav, rate)))[: len(resampled)], resampled)


@pytest.mark.parametrize("rate", SAMPLE_RATES)
@pytest.mark.parametrize("place", [0, silence.BLOCK - 1, silence.BLOCK, 3 * silence.BLOCK])
def test_one_sample_that_is_heard_anywhere_is_no_silence(rate: int, place: int) -> None:
    wav = np.zeros(3 * silence.BLOCK + 100, dtype=np.float32)
    assert silence.is_constant_when_rounded(wav)
    assert silence.is_constant_for_detectors(wav, rate)
    wav[place] = 0.01
    assert not silence.is_constant_when_rounded(wav)
    assert not silence.is_constant_for_detectors(wav, rate)


def test_a_constant_is_silence_too(rng: np.random.Generator) -> None:
    assert silence.is_constant_when_rounded(np.full(100, 0.5) + rng.uniform(-1e-5, 1e-5, 100))
