"""Lossy coding as of telephones, messengers and downloads: MP3, Opus and G.711, in memory, with libsndfile."""

import io

import numpy as np
import soundfile

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.compression import CONTAINERS, require_format

TELEPHONE_RATE = 8_000  # Hz, of G.711
LAWS = {"alaw": "ALAW", "mulaw": "ULAW"}
# libsndfile gives MP3 at 16 kHz a bit rate of 160 kbps at level 0 and of 8 at level 1, and Opus 256 and 6
MP3_RANGE, OPUS_RANGE = (8, 160), (6, 256)
# samples that LAME (576) and the decoder (529) put before the speech; at low bit rates, the file does not say so
MP3_DELAY = 1_105


def mp3(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` through MP3 at a constant bit rate of `value` kbps."""
    return _round_trip(wav, "mp3", _level(value, MP3_RANGE), "CONSTANT")


def opus(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` through Opus at about `value` kbps; its bit rate varies with the speech."""
    return _round_trip(wav, "opus", _level(value, OPUS_RANGE), None)


def g711(wav: np.ndarray, recording: np.ndarray, value: str, rng: np.random.Generator) -> np.ndarray:
    """`[T]` through a telephone line: 8 kHz, 8 bit a sample by the A-law or the mu-law (ITU-T G.711)."""
    narrow = np.clip(waveforms.resample(wav, SAMPLE_RATE, TELEPHONE_RATE), -1, 1)
    buffer = io.BytesIO()
    soundfile.write(buffer, narrow, TELEPHONE_RATE, LAWS[value], format="WAV")
    decoded, _ = soundfile.read(io.BytesIO(buffer.getvalue()))
    return waveforms.fit(waveforms.resample(decoded, TELEPHONE_RATE, SAMPLE_RATE), len(wav))


def _level(kbps: int, kbps_range: tuple[int, int]) -> float:
    lowest, highest = kbps_range
    return (highest - kbps) / (highest - lowest)


def _round_trip(wav: np.ndarray, name: str, level: float, mode: str | None) -> np.ndarray:
    require_format(name)
    container, subtype = CONTAINERS[name]
    peak = max(1.0, np.abs(wav).max(initial=0.0))  # encoders clip samples beyond full scale
    buffer = io.BytesIO()
    soundfile.write(
        buffer, wav / peak, SAMPLE_RATE, subtype, format=container, compression_level=level, bitrate_mode=mode
    )
    decoded, _ = soundfile.read(io.BytesIO(buffer.getvalue()))
    delay = MP3_DELAY if name == "mp3" and len(decoded) > len(wav) else 0
    return waveforms.fit(decoded[delay:], len(wav)) * peak
