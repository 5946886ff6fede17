"""Recordings to measure with: those of a folder, or signals like speech with lengths like VCTK's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, COLUMNS

SAMPLE_RATE = 48_000  # VCTK's
MEAN_DURATION, SPREAD = 3.2, 0.35  # seconds; of the logarithm


def made(folder: Path, seconds: float, utterances: int | None, seed: int = 0) -> pd.DataFrame:
    """The utterance table of signals written as FLAC in `folder`: `seconds` of audio in all."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for number, duration in enumerate(durations(seconds, utterances, rng)):
        wav = _syllables(round(duration * SAMPLE_RATE), rng)
        soundfile.write(folder / f"u{number:04d}.flac", wav, SAMPLE_RATE, subtype="PCM_16")
    return found(folder, seconds + 1, None)


def found(folder: Path, seconds: float, utterances: int | None) -> pd.DataFrame:
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
        raise FileNotFoundError(f"{folder}: no .wav or .flac file in it; give a folder of recordings")
    return pd.DataFrame(rows)


def durations(seconds: float, utterances: int | None, rng: np.random.Generator) -> np.ndarray:
    """Lengths in seconds that sum to `seconds`: as spread as VCTK's, and as long unless `utterances` are asked for."""
    count = utterances or max(1, round(seconds / MEAN_DURATION))
    drawn = rng.lognormal(0.0, SPREAD, count)
    return drawn * seconds / drawn.sum()


def _syllables(num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Harmonics of a wandering pitch under four syllables a second, and noise."""
    time = np.arange(num_samples) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / SAMPLE_RATE
    voiced = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 25))
    return 0.1 * voiced * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)) + 0.005 * rng.standard_normal(num_samples)
