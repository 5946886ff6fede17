"""Loudness after ITU-R BS.1770-4: closed forms, gates, and the level that it makes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from codecfake.audio.loudness import FLOOR, level, loudness

RATE = 48_000


def sine(amplitude: float, seconds: float, frequency: float = 997.0, sample_rate: int = RATE) -> Tensor:
    time = torch.arange(round(seconds * sample_rate), dtype=torch.float64) / sample_rate
    return (amplitude * torch.sin(2 * torch.pi * frequency * time)).float()[None]


@pytest.mark.parametrize("sample_rate", [16_000, 24_000, 44_100, 48_000])
def test_a_full_scale_sine_of_997_hz_has_3_db_less_than_full_scale(sample_rate: int) -> None:
    assert loudness(sine(1.0, 2, sample_rate=sample_rate), sample_rate).item() == pytest.approx(-3.01, abs=0.1)


def test_the_published_filter_coefficients_at_48_khz_are_met_within_a_tenth_of_a_decibel() -> None:
    # Tables 1 and 2 of BS.1770-4: both stages in series, as a gain at some frequencies
    shelf = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585])
    high_pass = ([1.0, -2.0, 1.0], [1, -1.99004745483398, 0.99007225036621])
    for frequency in (100.0, 997.0, 4000.0, 10_000.0):
        z = np.exp(-2j * math.pi * frequency / RATE)
        gain = np.prod([abs(np.polyval(b[::-1], z) / np.polyval(a[::-1], z)) for b, a in (shelf, high_pass)])
        expected = -0.691 + 20 * math.log10(gain) - 3.0103
        assert loudness(sine(1.0, 2, frequency), RATE).item() == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("decibels", [-60.0, -20.0, 6.0])
def test_loudness_rises_with_the_level_decibel_for_decibel(decibels: float) -> None:
    wav = sine(0.5, 1)
    louder = loudness(wav * 10 ** (decibels / 20), RATE)
    torch.testing.assert_close(louder, loudness(wav, RATE) + decibels, rtol=0, atol=1e-4)


def test_pauses_do_not_count() -> None:
    speech = sine(0.5, 2)
    paused = torch.cat([speech, torch.zeros(1, 10 * RATE)], dim=1)
    quiet = torch.cat([speech, sine(0.001, 10)], dim=1)
    for wav in (paused, quiet):
        assert loudness(wav, RATE).item() == pytest.approx(loudness(speech, RATE).item(), abs=0.5)


def test_what_is_shorter_than_half_a_second_is_measured_with_silence_after_it() -> None:
    wav = sine(0.5, 0.2)
    padded = torch.nn.functional.pad(wav, (0, RATE // 2 - wav.shape[1]))
    assert loudness(wav, RATE) == loudness(padded, RATE)


@pytest.mark.parametrize("num_samples", [1, 100, RATE // 2, RATE])
def test_silence_has_the_least_loudness_and_a_level_that_keeps_it_silent(num_samples: int) -> None:
    wav = torch.zeros(2, num_samples)
    assert loudness(wav, RATE).tolist() == [FLOOR, FLOOR]
    assert not (wav / level(wav, RATE)).any()


@pytest.mark.parametrize("num_samples", [10, 399, 4_410, 44_100, 44_101])
def test_dividing_by_the_level_makes_it_minus_16_lufs(num_samples: int) -> None:
    wav = 0.05 * torch.randn(3, num_samples, generator=torch.Generator().manual_seed(0))
    leveled = wav / level(wav, 44_100)
    torch.testing.assert_close(loudness(leveled, 44_100), torch.full((3,), -16.0), rtol=0, atol=1e-3)


def test_rows_are_measured_alone() -> None:
    wav = torch.cat([sine(0.5, 1), sine(0.001, 1), torch.zeros(1, RATE)])
    assert torch.equal(loudness(wav, RATE), torch.cat([loudness(row[None], RATE) for row in wav]))


def test_samples_that_are_not_finite_have_the_least_loudness() -> None:
    assert loudness(torch.full((1, RATE), torch.nan), RATE).item() == FLOOR
