"""One utterance from every source, as mel spectrograms and as audio (Xie et al. 2025, Fig. 2)."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore

EXCERPT_SECONDS = 3
SAMPLE_RATE = 16000  # of the picture; audio keeps its own rate
WINDOW, HOP, NUM_MELS = 512, 160, 80
RANGE_DB = 80.0  # points further below the loudest point of the recording are black
PIXELS_PER_MEL = 2


@dataclass(frozen=True)
class Excerpt:
    """An utterance from one source: picture and audio as data URIs."""

    source: str
    image: str
    sound: str


@dataclass(frozen=True)
class ExcerptRow:
    """One utterance from every source of its corpus, the recording first."""

    corpus: str
    utterance_id: str
    excerpts: list[Excerpt]


def excerpt_rows(root: Path, sources: Mapping[str, list[str]], utterances: Mapping[str, str]) -> list[ExcerptRow]:
    """The middle of each corpus's utterance, from every source of that corpus."""
    return [excerpt_row(root, corpus, sources[corpus], utterance) for corpus, utterance in utterances.items()]


def excerpt_row(root: Path, corpus: str, sources: list[str], utterance: str) -> ExcerptRow:
    """The middle of an utterance from each of `sources`; all pictures share the scale of the first one, the recording.

    `root` has `{corpus}/{source}/` with shards.
    """
    stores = {source: AudioStore(root, [(corpus, source)]) for source in sources}
    sounds = {source: _middle(*store.read(corpus, source, utterance)) for source, store in stores.items()}
    mels = {source: log_mel(_for_picture(*waveform)) for source, waveform in sounds.items()}
    top = mels[sources[0]].max()
    excerpts = [
        Excerpt(source, _image(mels[source], top), _data_uri("audio/flac", waveforms.encode_flac(*sounds[source])))
        for source in sources
    ]
    return ExcerptRow(corpus, utterance, excerpts)


def _middle(samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, int]:
    """At most `EXCERPT_SECONDS` from the middle, because many recordings begin and end with silence."""
    start = max(0, len(samples) - EXCERPT_SECONDS * sample_rate) // 2
    return samples[start : start + EXCERPT_SECONDS * sample_rate], sample_rate


def _for_picture(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    return waveforms.resample(samples / waveforms.FULL_SCALE, sample_rate, SAMPLE_RATE)


def log_mel(wav: np.ndarray) -> np.ndarray:
    """Mel spectrogram `[NUM_MELS, F]` in dB of wav `[T]` at `SAMPLE_RATE`, frames centered on multiples of `HOP`."""
    padded = np.pad(wav, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1])) ** 2
    return 10 * np.log10(mel_bands() @ power.T + 1e-10)


def mel_bands() -> np.ndarray:
    """Triangles `[NUM_MELS, WINDOW // 2 + 1]` of equal width on the HTK mel scale, from 0 to half the rate."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, NUM_MELS + 2) / 2595) - 1)
    frequencies = np.linspace(0, SAMPLE_RATE / 2, WINDOW // 2 + 1)
    low, center, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - low) / (center - low), (high - frequencies) / (high - center)
    return np.maximum(0, np.minimum(rising, falling))


def _image(mel: np.ndarray, top: float) -> str:
    """A PNG of one byte a pixel, low frequencies at the bottom."""
    levels = np.rint(255 * np.clip(1 + (mel - top) / RANGE_DB, 0, 1)).astype(np.uint8)
    picture = Image.fromarray(levels[::-1].repeat(PIXELS_PER_MEL, axis=0))
    palette = matplotlib.colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    picture.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return _data_uri("image/png", buffer.getvalue())


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
