"""Measures what processors do beside a GPU, in seconds of audio per second of processor time, as a Markdown table.

    python benchmarks/host.py [--seconds 240] [--threads 2]

`decode`: read, check the hash, and resample to the codec's rate. `encode`: resample to 16 kHz and encode FLAC. The
last column is the gain of threads in wall-clock time. The second table has the cores that keep a GPU busy, for the
speeds that `codecfake plan` computes: each recording is decoded once, and encoded once for every source.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import pandas as pd

import codec_wrappers
from benchmarks import speech
from codecfake.audio import shards, waveforms
from codecfake.running.planning import rates

RATE, CODEC_RATES = 16_000, (16_000, 24_000, 44_100)


@dataclass(frozen=True)
class Speed:
    """Times real time."""

    per_core: float
    gain: float  # of all threads over one


def main() -> None:
    """Measure and print both tables."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = speech.make(Path(folder) / "corpus", options.seconds, None)
        speeds = measured(Path(folder) / "corpus", table, options.threads)
    print(f"| work | times real time, per core | {options.threads} threads / one |\n| --- | --- | --- |")
    for name, speed in speeds.items():
        print(f"| {name} | {speed.per_core:,.0f} | {speed.gain:.2f} |")
    print("\n| codec | times real time on one H200, as planned | cores for one source | for four sources |")
    print("| --- | --- | --- | --- |")
    for row in core_rows(speeds):
        print(row)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=240.0, help="of audio")
    parser.add_argument("--threads", type=int, default=2)
    return parser


def measured(root: Path, table: pd.DataFrame, threads: int) -> dict[str, Speed]:
    """The speed of each kind of work on the recordings of a table."""
    rows = list(table.itertuples(index=False))
    seconds = float((table["num_samples"] / table["sample_rate"]).sum())
    works: dict[str, Callable[[object], object]] = {}
    for rate in CODEC_RATES:
        wavs = {row.path: _decode(root, row, rate) for row in rows}
        works[_name("decode", rate)] = lambda row, rate=rate: _decode(root, row, rate)
        works[_name("encode", rate)] = lambda row, rate=rate, wavs=wavs: _encode(wavs[row.path], rate)
    return {name: _speed(work, rows, seconds, threads) for name, work in works.items()}


def core_rows(speeds: dict[str, Speed]) -> list[str]:
    """A row for each codec whose speed on a GPU is known."""
    rows, table = [], rates.load()
    for codec in codec_wrappers.names():
        entry = codec_wrappers.entry(codec)
        speed = table[f"resynthesis.{codec}.gpu"] if entry.device == "gpu" else math.nan
        if not math.isnan(speed) and entry.sample_rate in CODEC_RATES:
            decode, encode = (speeds[_name(work, entry.sample_rate)].per_core for work in ("decode", "encode"))
            cores = [
                # further sources take a share of the time of the first
                speed / (1 + (sources - 1) * table["resynthesis.further_source"]) * (1 / decode + sources / encode)
                for sources in (1, 4)
            ]
            rows.append(f"| {codec} | {speed:,.0f} | {' | '.join(str(math.ceil(number)) for number in cores)} |")
    return rows


def _name(work: str, rate: int) -> str:
    return f"{work}, {rate / 1000:g} kHz"


def _decode(root: Path, row: pd.Series, rate: int) -> np.ndarray:
    recording = waveforms.read(root / row.path, row.sha256)
    return waveforms.resample(recording.wav, row.sample_rate, rate).astype(np.float32)


def _encode(wav: np.ndarray, rate: int) -> shards.Flac:
    return shards.encode(waveforms.resample(wav, rate, RATE), RATE)


def _speed(work: Callable[[object], object], rows: list[object], seconds: float, threads: int) -> Speed:
    list(map(work, rows[:4]))
    wall_seconds, cpu_seconds = _times(work, rows, 1)
    return Speed(seconds / cpu_seconds, wall_seconds / _times(work, rows, threads)[0])


def _times(work: Callable[[object], object], rows: list[object], threads: int) -> tuple[float, float]:
    with ThreadPoolExecutor(threads) as pool:
        wall, cpu = time.perf_counter(), time.process_time()
        list(pool.map(work, rows))
        return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
