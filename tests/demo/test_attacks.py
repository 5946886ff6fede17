"""The vocoders of the demo's spoofs: what they keep of a recording, and what they do with odd ones."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from codecfake.demo.attacks import KNOWN_ATTACKS, UNKNOWN_ATTACKS, Attack, framing, pitch
from codecfake.demo.attacks.sinusoidal import Sinusoidal
from codecfake.demo.attacks.source_filter import linear_prediction, pulses

SAMPLE_RATE = 16000
ATTACKS = (*KNOWN_ATTACKS, *UNKNOWN_ATTACKS)
KEEPING_PITCH = [attack for attack in ATTACKS if attack.name != "A02"]  # whose mel bands are wider than a harmonic

of_each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


def spoof(attack: Attack, wav: np.ndarray, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    return attack.spoof(wav, sample_rate, np.random.default_rng(5))


def noise(num_samples: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(2).standard_normal(num_samples)


def vowel(f0: float, sample_rate: int = SAMPLE_RATE, seconds: float = 0.5) -> np.ndarray:
    """Harmonics of `f0` with formants near 700 and 1200 Hz, and noise 40 dB below them."""
    times = np.arange(int(seconds * sample_rate)) / sample_rate
    frequencies = np.arange(f0, sample_rate / 2 - 500, f0)
    levels = 1 / (1 + ((frequencies - 700) / 150) ** 2) + 0.5 / (1 + ((frequencies - 1200) / 200) ** 2) + 0.02
    phases = np.linspace(0, 40, len(frequencies)) ** 2
    wav = np.sum(levels * np.cos(2 * np.pi * frequencies * times[:, None] + phases), axis=1)
    return 0.1 * wav / np.std(wav) + 0.01 * noise(len(wav))


def level_db(wav: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(wav**2)))


def period_and_strength(wav: np.ndarray) -> tuple[float, float]:
    """The shortest lag (32 to 267 samples) of nearly the highest autocorrelation, and that autocorrelation."""
    middle = wav[len(wav) // 4 : -len(wav) // 4]
    spectrum = np.abs(np.fft.rfft(middle, 2 * len(middle))) ** 2
    correlation = np.fft.irfft(spectrum)[:300] / (1 - np.arange(300) / len(middle))
    near = correlation[32:268] > 0.85 * correlation[32:268].max()
    first = int(np.argmax(near)) + 32
    lag = first + int(np.argmax(correlation[first : first + 16]))
    before, here, after = correlation[lag - 1 : lag + 2]
    return lag + 0.5 * (before - after) / (before - 2 * here + after), float(here / correlation[0])


# every attack


@of_each_attack
def test_a_spoof_has_the_length_and_about_the_level_of_its_recording_but_another_waveform(attack: Attack) -> None:
    wav = vowel(150)
    ours = spoof(attack, wav)
    assert ours.shape == wav.shape
    assert abs(level_db(ours) - level_db(wav)) < 5
    assert abs(np.corrcoef(ours, wav)[0, 1]) < 0.9


@of_each_attack
def test_the_same_recording_and_seed_give_the_same_spoof_whatever_came_before(attack: Attack) -> None:
    first = spoof(attack, vowel(150))
    spoof(attack, noise(5000))
    np.testing.assert_array_equal(spoof(attack, vowel(150)), first)


@pytest.mark.parametrize("attack", KEEPING_PITCH, ids=lambda attack: attack.name)
@pytest.mark.parametrize("f0", [95.0, 230.0])
def test_a_spoof_keeps_the_pitch(attack: Attack, f0: float) -> None:
    period, strength = period_and_strength(spoof(attack, vowel(f0)))
    assert abs(1200 * np.log2(SAMPLE_RATE / period / f0)) < 25
    assert strength > 0.5


@of_each_attack
def test_a_spoof_keeps_the_spectral_envelope(attack: Attack) -> None:
    wav = vowel(120)

    def bands(signal: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(signal)) ** 2
        return np.log([np.sum(part) for part in np.array_split(power, 24)])

    assert np.corrcoef(bands(spoof(attack, wav)), bands(wav))[0, 1] > 0.9


@of_each_attack
def test_noise_stays_unvoiced_noise_of_its_level(attack: Attack) -> None:
    wav = noise(16000)
    ours = spoof(attack, wav)
    assert abs(level_db(ours) - level_db(wav)) < 2
    assert period_and_strength(ours)[1] < 0.4
    assert abs(np.corrcoef(ours, wav)[0, 1]) < 0.9


@of_each_attack
def test_silence_stays_silent(attack: Attack) -> None:
    assert np.abs(spoof(attack, np.zeros(4000))).max() < 1e-6


@pytest.mark.filterwarnings("ignore:n_fft=")  # librosa warns of windows longer than a recording
@of_each_attack
@pytest.mark.parametrize("num_samples", [1, 2, 79, 80, 81, 400])
def test_a_recording_shorter_than_a_window_keeps_its_length(attack: Attack, num_samples: int) -> None:
    ours = spoof(attack, noise(num_samples))
    assert ours.shape == (num_samples,)
    assert np.isfinite(ours).all()


@of_each_attack
def test_a_spoof_at_a_rate_without_whole_frames_keeps_its_length(attack: Attack) -> None:
    wav = vowel(150, sample_rate=11025, seconds=0.4)
    ours = spoof(attack, wav, 11025)
    assert ours.shape == wav.shape
    assert abs(level_db(ours) - level_db(wav)) < 6


# the attacks of train and evaluation


def test_no_two_attacks_share_a_name_or_all_parameters() -> None:
    parameters = [(type(attack), *list(asdict(attack).values())[1:]) for attack in ATTACKS]
    assert len(set(parameters)) == len({attack.name for attack in ATTACKS}) == len(ATTACKS)


def test_evaluation_has_each_kind_of_training_and_one_that_training_lacks() -> None:
    in_training, others = ({type(attack) for attack in attacks} for attacks in (KNOWN_ATTACKS, UNKNOWN_ATTACKS))
    assert others - in_training == {Sinusoidal}
    assert in_training < others


# the parts of vocoders


def test_overlapping_hann_windows_give_the_waveform_back() -> None:
    wav = noise(1003)
    parts = framing.frames(wav, 200, 100) * framing.hann(200)
    np.testing.assert_allclose(framing.overlap_add(parts, 100, 100, 1003)[:1000], wav[:1000], atol=1e-12)


def test_the_last_frame_is_centered_on_the_last_sample_that_is_a_multiple_of_the_hop() -> None:
    wav = np.arange(1.0, 302.0)
    assert [framing.frames(wav[:length], 4, 100).shape[0] for length in (1, 100, 101, 300, 301)] == [1, 2, 2, 4, 4]
    np.testing.assert_array_equal(framing.frames(wav, 4, 100)[1], wav[98:102])


def test_linear_prediction_solves_the_normal_equations() -> None:
    wav = lfilter([1], [1, -1.2, 0.8, -0.1], noise(3000))
    autocorrelation = np.array([wav[: len(wav) - lag] @ wav[lag:] for lag in range(9)])
    (predictor,), (error,) = linear_prediction(autocorrelation[None])
    expected = np.linalg.solve(toeplitz(autocorrelation[:-1]), -autocorrelation[1:])
    np.testing.assert_allclose(predictor, [1, *expected], atol=1e-9)
    assert error == pytest.approx(predictor @ autocorrelation)


def test_linear_prediction_finds_the_filter_of_an_autoregressive_process() -> None:
    wav = lfilter([1], [1, -1.2, 0.8], np.random.default_rng(3).standard_normal(100_000))
    autocorrelation = np.array([np.mean(wav[: len(wav) - lag] * wav[lag:]) for lag in range(3)])
    predictor, error = linear_prediction(autocorrelation[None])
    np.testing.assert_allclose(predictor[0], [1, -1.2, 0.8], atol=0.02)
    assert error[0] == pytest.approx(1, abs=0.02)


def test_pulses_have_one_a_period_mean_0_and_power_1() -> None:
    train = pulses(np.full(16000, 125.0), SAMPLE_RATE)
    assert np.sum(train > 1) == 125
    assert np.mean(train) == pytest.approx(0, abs=1e-3)
    assert np.mean(train**2) == pytest.approx(1, abs=0.01)


def segments() -> Iterator[np.ndarray]:
    yield noise(4800)
    yield vowel(200, seconds=0.3)
    yield noise(4800)


def test_f0_is_found_in_the_voiced_part_alone() -> None:
    f0 = pitch.f0(np.concatenate(list(segments())), SAMPLE_RATE, 160)
    assert len(f0) == 91
    np.testing.assert_allclose(f0[34:57], 200, rtol=0.01)
    assert np.mean(f0[:27] == 0) > 0.9
    assert np.mean(f0[64:] == 0) > 0.9


def test_f0_of_samples_is_interpolated_through_unvoiced_frames() -> None:
    f0, voiced = pitch.per_sample(np.array([0.0, 100.0, 0.0, 200.0]), 10, 35)
    assert f0[[0, 10, 20, 30, 34]].tolist() == [100, 100, 150, 200, 200]
    assert voiced.tolist() == [False] * 5 + [True] * 10 + [False] * 10 + [True] * 10


def test_the_harmonics_of_a_sinusoidal_spoof_end_where_its_noise_begins() -> None:
    ours = spoof(Sinusoidal("A99", frame_ms=10, noise_above_hz=2000), vowel(200))[2000:6000]
    power = np.abs(np.fft.rfft(ours * np.hanning(4000))) ** 2  # bins of 4 Hz: harmonics are 50 bins apart
    peak_to_mean = [power[50 * k - 2 : 50 * k + 3].sum() / power[50 * k - 25 : 50 * k + 25].sum() for k in range(1, 30)]
    assert min(peak_to_mean[:9]) > 0.9
    assert np.mean(peak_to_mean[12:]) < 0.5
