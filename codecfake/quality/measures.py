"""Objective measures of how close a codec's output is to its recording.

PESQ (ITU-T P.862.2, wide band) and STOI (Taal et al. 2011; extended STOI: Jensen and Taal 2016) come from libraries.
They were designed for telephony and noisy speech, not for neural codecs, and compare waveforms or envelopes. Speech
with other phases may sound good and still score badly, so spectra and pitch are measured too.
"""

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from codecfake.base.librosa_cache import librosa

SAMPLE_RATE = 16000  # Hz, of both waveforms
WINDOW, NUM_MELS = 1024, 80  # of spectra, as in the validation of trained codecs
FLOOR = 1e-5  # lower amplitudes of a band count as silence: -100 dB of full scale; the noise of 16 bit is lower
LOWEST_F0, HIGHEST_F0 = 60.0, 500.0  # Hz
F0_HOP = 320  # samples: one frame every 20 ms
F0_STEP = 0.25  # semitones between pYIN's pitch candidates; its time grows with the square of their number
BANDWIDTH_RANGE = 1e-6  # power relative to the strongest frequency (-60 dB); frequencies below it are outside the band
SHORTEST_STOI = 0.4  # seconds: 30 frames with a hop of 12.8 ms
# The library crashes on more than 50 stretches of speech; it finds at most one in 0.4 s.
LONGEST_PESQ = 20.0  # seconds

HIGHER, LOWER, NEITHER = 1, -1, 0


@dataclass(frozen=True)
class Metric:
    """A column of the tables, and whether higher or lower values are better."""

    name: str
    better: int


METRICS = (
    Metric("pesq", HIGHER),  # MOS-LQO, 1.02 to 4.64
    Metric("stoi", HIGHER),  # at most 1
    Metric("estoi", HIGHER),
    Metric("si_sdr_db", HIGHER),
    Metric("mel_distance", LOWER),  # of log10 amplitudes: 0.1 is 2 dB
    Metric("log_spectral_distance_db", LOWER),
    Metric("f0_error_cents", LOWER),
    Metric("voicing_error", LOWER),  # share of frames
    Metric("bandwidth_error_hz", LOWER),
    Metric("bandwidth_hz", NEITHER),
    Metric("bonafide_bandwidth_hz", NEITHER),
)
NAMES = [metric.name for metric in METRICS]
SPEECH_ALONE = ("pesq", "stoi", "estoi", "f0_error_cents", "voicing_error")  # mean nothing on other sounds
NO_SPEECH = "a corpus of sounds"  # the reason why they are missing

Measured = dict[str, float | str]  # a number, or the reason for a missing one
Comparison = Callable[[np.ndarray, np.ndarray], Measured]  # of a recording and its fake


def measure(recording: np.ndarray, fake: np.ndarray) -> Measured:
    """Every metric of one utterance, by the names of `METRICS`; both waveforms are `[T]` at `SAMPLE_RATE`, full scale
    ±1.

    Raises ValueError if their lengths differ.
    """
    return _measured(recording, fake, (_perceived, _waveform, _spectra, _pitch, _bandwidths))


def measure_sound(recording: np.ndarray, fake: np.ndarray) -> Measured:
    """The same of a recording of a sound: the metrics of speech alone have a reason in place of a value.

    PESQ and STOI predict how speech is heard and understood, and a sound such as rain has no F0.
    """
    return dict.fromkeys(SPEECH_ALONE, NO_SPEECH) | _measured(recording, fake, (_waveform, _spectra, _bandwidths))


def _measured(recording: np.ndarray, fake: np.ndarray, comparisons: Sequence[Comparison]) -> Measured:
    if recording.shape != fake.shape:
        raise ValueError(
            f"the recording has {len(recording)} samples and the fake {len(fake)}; their lengths must be equal"
        )
    recording, fake = recording.astype(np.float64), fake.astype(np.float64)
    values: Measured = {}
    for compare in comparisons:
        values |= compare(recording, fake)
    return {name: value if value == value else "not a number" for name, value in values.items()}


def _silence(recording: np.ndarray, fake: np.ndarray) -> str:
    """Which of the two is constant; "" if neither is."""
    return "the recording is silent" if not np.ptp(recording) else "the fake is silent" if not np.ptp(fake) else ""


def _perceived(recording: np.ndarray, fake: np.ndarray) -> Measured:
    silence = _silence(recording, fake)
    if silence:
        return dict.fromkeys(("pesq", "stoi", "estoi"), silence)
    return {
        "pesq": pesq_mos(recording, fake),
        "stoi": _stoi(recording, fake, extended=False),
        "estoi": _stoi(recording, fake, extended=True),
    }


def pesq_mos(recording: np.ndarray, fake: np.ndarray) -> float | str:
    """MOS-LQO by ITU-T P.862.2. The package is optional, because installing it needs a C compiler."""
    try:
        import pesq
    except ImportError:
        return "not installed"
    if len(recording) > LONGEST_PESQ * SAMPLE_RATE:
        return f"longer than {LONGEST_PESQ:g} s"
    try:
        return float(pesq.pesq(SAMPLE_RATE, recording, fake, "wb"))
    except pesq.BufferTooShortError:
        return "shorter than 0.25 s"
    except pesq.NoUtterancesError:
        return "no speech found"
    except (pesq.PesqError, ValueError) as error:  # ValueError: the detected speech has level zero
        return f"failed ({error})".replace(";", ",")


def _stoi(recording: np.ndarray, fake: np.ndarray, extended: bool) -> float | str:
    import pystoi

    too_short = f"less than {SHORTEST_STOI} s of speech"
    if len(recording) < SHORTEST_STOI * SAMPLE_RATE:
        return too_short
    np.random.seed(0)  # noqa: NPY002  the package adds noise of 1e-16, which it scales up in silent bands
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        value = float(pystoi.stoi(recording, fake, SAMPLE_RATE, extended=extended))
    return too_short if any("Not enough STFT frames" in str(warning.message) for warning in warned) else value


def _waveform(recording: np.ndarray, fake: np.ndarray) -> Measured:
    return {"si_sdr_db": _silence(recording, fake) or si_sdr_db(recording, fake)}


def si_sdr_db(recording: np.ndarray, fake: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, means removed (Le Roux et al. 2019, equation 3)."""
    target, estimate = recording - recording.mean(), fake - fake.mean()
    target = (estimate @ target) / (target @ target) * target
    distortion = float(np.sum((estimate - target) ** 2))
    signal = float(target @ target)
    # For equal waveforms, the difference is only rounding error, not distortion.
    if distortion <= np.finfo(np.float64).eps ** 2 * len(target) * signal:
        return math.inf
    return 10 * math.log10(signal / distortion) if signal > 0 else -math.inf


def _spectra(recording: np.ndarray, fake: np.ndarray) -> Measured:
    """Mean absolute difference of log mel amplitudes, and the log-spectral distance (Gray and Markel 1976)."""
    ours, theirs = _amplitudes(recording), _amplitudes(fake)
    decibels = 20 * (_log(ours) - _log(theirs))
    mels = _log(_mel_bands() @ ours) - _log(_mel_bands() @ theirs)
    return {
        "mel_distance": float(np.mean(np.abs(mels))),
        "log_spectral_distance_db": float(np.mean(np.sqrt(np.mean(decibels**2, axis=0)))),
    }


def _amplitudes(wav: np.ndarray) -> np.ndarray:
    """Amplitude spectra `[WINDOW // 2 + 1, F]`; a full-scale sine has 0.5, or less between two bins."""
    padded = np.pad(wav, (0, max(0, WINDOW - len(wav))))
    spectra = librosa().stft(padded, n_fft=WINDOW, hop_length=WINDOW // 4, pad_mode="reflect")
    return np.abs(spectra) / (WINDOW / 2)  # the sum of the Hann window


def _mel_bands() -> np.ndarray:
    return librosa().filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=NUM_MELS, htk=True, norm=None)


def _log(amplitudes: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(amplitudes, FLOOR))


def _pitch(recording: np.ndarray, fake: np.ndarray) -> Measured:
    """Root mean square error of F0 over frames that are voiced in both, and the share of frames voiced in only one.

    Read them together: a fake whose difficult frames become unvoiced has a smaller F0 error. A single octave error
    outweighs all smaller errors.
    """
    (ours, ours_voiced), (theirs, theirs_voiced) = _f0_of_recording(recording.tobytes()), f0(fake)
    both = ours_voiced & theirs_voiced
    cents = 1200 * np.log2(theirs[both] / ours[both])
    return {
        "f0_error_cents": float(np.sqrt(np.mean(cents**2))) if both.any() else "no frame is voiced in both",
        "voicing_error": float(np.mean(ours_voiced != theirs_voiced)),
    }


@functools.lru_cache(maxsize=1)  # one recording is compared with several fakes in turn
def _f0_of_recording(samples: bytes) -> tuple[np.ndarray, np.ndarray]:
    return f0(np.frombuffer(samples))


def f0(wav: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz and voicing decisions, both `[F]`, a frame every `F0_HOP` samples (pYIN, Mauch and Dixon 2014).

    pYIN is quantized to steps; YIN's continuous value replaces it where the two agree within half a semitone.
    """
    limits = {"sr": SAMPLE_RATE, "fmin": LOWEST_F0, "fmax": HIGHEST_F0, "frame_length": WINDOW, "hop_length": F0_HOP}
    steps, voiced, _ = librosa().pyin(wav, resolution=F0_STEP, fill_na=None, **limits)
    between = librosa().yin(wav, **limits)
    return np.where(np.abs(np.log2(between / steps)) < 0.5 / 12, between, steps), voiced


def _bandwidths(recording: np.ndarray, fake: np.ndarray) -> Measured:
    silence = _silence(recording, fake)
    if silence:
        return dict.fromkeys(("bandwidth_error_hz", "bandwidth_hz", "bonafide_bandwidth_hz"), silence)
    ours, theirs = bandwidth_hz(recording), bandwidth_hz(fake)
    return {"bandwidth_error_hz": abs(theirs - ours), "bandwidth_hz": theirs, "bonafide_bandwidth_hz": ours}


def bandwidth_hz(wav: np.ndarray) -> float:
    """The highest frequency of the long-term spectrum with at least `BANDWIDTH_RANGE` of the strongest one's power."""
    from scipy.signal import welch

    frequencies, power = welch(wav, SAMPLE_RATE, nperseg=min(WINDOW, len(wav)))
    return float(frequencies[power >= BANDWIDTH_RANGE * power.max()][-1])
