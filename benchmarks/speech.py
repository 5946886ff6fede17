"""Recordings for benchmarks: those of a folder, or synthetic signals that resemble speech, with lengths like VCTK's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, COLUMNS

SAMPLE_RATE = 48_000  # VCTK's
MEAN_DURATION, DEVIATION = 3.2, 0.35  # seconds; of the logarithm


def make(folder: Path, seconds: float, utterances: int | None, seed: int = 0) -> pd.DataFrame:
    """Write synthetic FLAC files into `folder`, `seconds` of audio in total; returns their utterance table."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number, duration in enumerate(durations(seconds, utterances, rng)):
        wav = _syllables(round(duration * SAMPLE_RATE), rng)
        soundfile.write(folder / f"u{number:04d}.flac", wav, SAMPLE_RATE, subtype="PCM_16")
    return find(folder, seconds + 1, None)


def find(folder: Path, seconds: float, utterances: int | None) -> pd.DataFrame:
    """The utterance table of the first recordings (.wav, .flac) under `folder`: about `seconds` of audio."""
    rows: list[dict[str, Any]] = []
    total = 0.0
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac")):
        if rows and (total >= seconds or len(rows) == utterances):
            break
        about = soundfile.info(path)
        row: dict[str, Any] = dict.fromkeys(COLUMNS, "-") | {
            "utterance_id": path.stem,
            "path": path.relative_to(folder).as_posix(),
            "key": BONAFIDE,
            "sample_rate": about.samplerate,
            "channels": about.channels,
            "num_samples": about.frames,
            "sha256": files.sha256(path),
        }
        rows.append(row)
        total += about.frames / about.samplerate
    if not rows:
        raise FileNotFoundError(f"{folder}: no .wav or .flac file in it; give a folder with recordings")
    return pd.DataFrame(rows)


def durations(seconds: float, utterances: int | None, rng: np.random.Generator) -> np.ndarray:
    """Lengths in seconds that add up to `seconds`, with the relative spread of VCTK's.

    Without a number of `utterances`, their mean length is VCTK's too.
    """
    count = utterances or max(1, round(seconds / MEAN_DURATION))
    lengths = rng.lognormal(0.0, DEVIATION, count)
    return lengths * seconds / lengths.sum()


def _syllables(num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Harmonics of a varying pitch, modulated by four syllables per second, with noise."""
    time = np.arange(num_samples) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / SAMPLE_RATE
    voiced = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 25))
    return 0.1 * voiced * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)) + 0.005 * rng.standard_normal(num_samples)
