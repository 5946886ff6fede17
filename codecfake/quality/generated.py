"""Duration, level and silence of generated fakes, which have no recording of the same words to be compared with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore
from codecfake.base import files, utterances
from codecfake.base.progress import progress
from codecfake.protocols.lists import RECORDINGS

MEASURES = ("seconds", "characters_per_second", "rms_db", "peak_db", "silent_share")
COLUMNS = ("utterance_id", "attack", *MEASURES)
SUMMARY = ("corpus", "attack", "measure", "n", "mean", "least", "median", "most")
FRAME = 0.02  # seconds
SILENT_DB = -60.0  # RMS of a frame that counts as silent, relative to full scale
FLOOR = 0.5 / waveforms.FULL_SCALE  # of digital silence, which has no level in dB


def measure_generated(corpus: str, utterances_path: Path, audio_root: Path, output: Path) -> None:
    """Measure every fake of a corpus; write a row each, with `COLUMNS`. Levels are in dB relative to full scale."""
    table = utterances.read(utterances_path)
    store = AudioStore(audio_root, [(corpus, RECORDINGS)])
    rows = []
    for row in progress(table.itertuples(), f"sanity of {corpus}", len(table), "utt"):
        samples, rate = store.read(corpus, RECORDINGS, row.utterance_id)
        values = measure(samples / waveforms.FULL_SCALE, rate, row.text)
        rows.append((row.utterance_id, row.attack, *(f"{value:.6g}" for value in values.values())))
    files.write_tsv(output, pd.DataFrame(rows, columns=list(COLUMNS)))


def measure(wav: np.ndarray, sample_rate: int, text: str) -> dict[str, float]:
    """The `MEASURES` of a waveform `[T]`, full scale ±1, that says a text."""
    seconds = len(wav) / sample_rate
    return {
        "seconds": seconds,
        "characters_per_second": len(text) / seconds,
        "rms_db": float(_db(np.sqrt(np.mean(wav**2)))),
        "peak_db": float(_db(np.abs(wav).max())),
        "silent_share": silent_share(wav, sample_rate),
    }


def silent_share(wav: np.ndarray, sample_rate: int) -> float:
    """The share of frames whose RMS is below `SILENT_DB`; the rest after the last whole frame does not count."""
    size = min(len(wav), round(FRAME * sample_rate))
    frames = wav[: len(wav) // size * size].reshape(-1, size)
    return float(np.mean(_db(np.sqrt(np.mean(frames**2, axis=1))) < SILENT_DB))


def write_generated_summary(measured: Sequence[Path], output: Path) -> None:
    """Write a row for each corpus (`{corpus}.tsv`) and measure: mean and extremes over its fakes."""
    rows = [row for path in measured for row in _rows(path)]
    files.write_text(output, pd.DataFrame(rows, columns=list(SUMMARY)).to_csv(index=False, lineterminator="\n"))


def _rows(path: Path) -> list[tuple[object, ...]]:
    table = files.read_tsv(path)
    attack = ", ".join(sorted(set(table["attack"])))
    columns = ((name, table[name].astype(float)) for name in MEASURES)
    numbers = ((name, (each.mean(), each.min(), each.median(), each.max())) for name, each in columns)
    return [(path.stem, attack, name, len(table), *(f"{n:.6g}" for n in four)) for name, four in numbers]


def _db(amplitude: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.maximum(amplitude, FLOOR))
