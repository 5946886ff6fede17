"""From clean synthetic speech to a recording: adds pauses, the coloration of a room, a level and a noise floor.

eSpeak NG's silence is digital zero, and each of its voices has a fixed level and spectrum. A detector could tell such
speech from its resynthesis just by the silence, and the demo would show nothing. So each speaker gets a room (a soft
equalizer, and the level and slope of a noise floor), and each utterance gets its own pauses, level and noise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

from codecfake.audio import waveforms
from codecfake.demo.seeds import generator

EQUALIZER_HZ = (60.0, 250.0, 1000.0, 4000.0, 16000.0)
EQUALIZER_DB = 4.0  # at most, up or down
NOISE_FLOOR_DBFS = (-60.0, -50.0)
NOISE_SLOPE_DB_PER_OCTAVE = (-4.5, -1.5)  # pink is -3
LOWEST_HZ = 30.0  # below it, the noise is flat
SPEECH_DBFS = (-30.0, -25.0)  # RMS; eSpeak NG's peaks are up to 21 dB higher
PAUSE_SECONDS = (0.05, 0.25)  # before and after the speech


@dataclass(frozen=True)
class Room:
    """The room of all recordings of a speaker."""

    equalizer_db: np.ndarray  # at EQUALIZER_HZ
    noise_dbfs: float  # RMS
    noise_slope: float  # dB per octave


def room(seed: int, speaker_id: str) -> Room:
    """The room of a speaker."""
    rng = generator(seed, "room", speaker_id)
    return Room(
        equalizer_db=rng.uniform(-EQUALIZER_DB, EQUALIZER_DB, len(EQUALIZER_HZ)),
        noise_dbfs=rng.uniform(*NOISE_FLOOR_DBFS),
        noise_slope=rng.uniform(*NOISE_SLOPE_DB_PER_OCTAVE),
    )


def record(speech: waveforms.Audio, place: Room, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The waveform `[T]` at `sample_rate` of speech in a room; each utterance has its own `rng`."""
    wav = waveforms.resample(speech.wav, speech.sample_rate, sample_rate)
    before, after = (int(seconds * sample_rate) for seconds in rng.uniform(*PAUSE_SECONDS, 2))
    wav = np.pad(wav, (before, after))
    octaves = _octaves(len(wav), sample_rate)
    wav = _filter_zero_phase(wav, np.interp(octaves, np.log2(EQUALIZER_HZ), place.equalizer_db))
    noise = _filter_zero_phase(rng.standard_normal(len(wav)), place.noise_slope * octaves)
    return _scale_to_level(wav, rng.uniform(*SPEECH_DBFS)) + _scale_to_level(noise, place.noise_dbfs)


def _octaves(num_samples: int, sample_rate: int) -> np.ndarray:
    """log2 of the frequency of each bin of `_filter_zero_phase`."""
    return np.log2(np.maximum(np.fft.rfftfreq(next_fast_len(num_samples, real=True), 1 / sample_rate), LOWEST_HZ))


def _filter_zero_phase(wav: np.ndarray, gain_db: np.ndarray) -> np.ndarray:
    """Apply one gain per frequency bin to the whole utterance, with zero phase."""
    size = next_fast_len(len(wav), real=True)  # a prime length would take ten times as long
    return np.fft.irfft(np.fft.rfft(wav, size) * 10 ** (gain_db / 20), size)[: len(wav)]


def _scale_to_level(wav: np.ndarray, dbfs: float) -> np.ndarray:
    """Scale to a root mean square level."""
    return wav * 10 ** (dbfs / 20) / np.sqrt(np.mean(wav**2))
