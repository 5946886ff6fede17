"""Reads audio files as the recordings of training are read, in this process or in several others.

Channels are averaged, samples go through the one resampler to 16 kHz and are rounded to 16 bit. What ingest rejects is
refused. Needs no torch, so that reading processes start quickly.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from pebble import ProcessExpired, ProcessPool

from codecfake.audio import waveforms
from codecfake.audio.settings import DETECTOR_RATE
from codecfake.audio.waveforms import AudioError
from codecfake.base import processes
from codecfake.corpora.inspection import read_usable

MIN_DURATION = 0.1  # seconds, as at ingest
FILES_AHEAD = 4  # of each process: enough that none waits, and memory does not grow with the number of files


@dataclass(frozen=True)
class Waveform:
    path: Path
    samples: np.ndarray  # int16 [T] at 16 kHz
    clipped_samples: int


@dataclass(frozen=True)
class Failure:
    path: Path
    reason: str


def read_all(paths: Sequence[Path], workers: int = 0) -> Iterator[Waveform | Failure]:
    """The waveform of each file in order, or why it has none; `workers` processes read ahead, 0: this one reads.

    A decoder that crashes in another process costs its file alone.
    """
    if workers == 0:
        yield from map(read, paths)
        return
    processes.require_shared_memory()
    pool = ProcessPool(workers, context=get_context("spawn"))
    try:
        coming = iter(paths)
        waiting: deque[tuple[Path, Future[Waveform | Failure]]] = deque()
        while True:
            for path in islice(coming, workers * FILES_AHEAD - len(waiting)):
                waiting.append((path, pool.schedule(read, args=(path,))))
            if not waiting:
                return
            yield _result(*waiting.popleft())
    finally:
        pool.stop()
        pool.join()


def read(path: Path) -> Waveform | Failure:
    """A file's waveform, or why it has none."""
    try:
        return waveform(path)
    except (AudioError, OSError, ValueError, RuntimeError, MemoryError) as error:
        return failure(path, error)


def waveform(path: Path) -> Waveform:
    """A file as stored in 16-bit shards at 16 kHz. Raises AudioError if ingest would reject it."""
    recording = read_usable(path, MIN_DURATION)
    return as_in_shards(recording.wav, recording.sample_rate, path)


def as_in_shards(wav: np.ndarray, sample_rate: int, path: Path = Path()) -> Waveform:
    """Speech `[T]`, full scale at ±1, as stored in 16-bit shards at 16 kHz."""
    samples, clipped = waveforms.to_int16(waveforms.resample(wav, sample_rate, DETECTOR_RATE))
    return Waveform(path, samples, clipped)


def failure(path: Path, error: Exception) -> Failure:
    """The reason in an error, without the path."""
    text = str(error) if isinstance(error, AudioError) else f"{type(error).__name__}: {error}"
    return Failure(path, text.removeprefix(f"{path}: "))


def _result(path: Path, future: "Future[Waveform | Failure]") -> Waveform | Failure:
    try:
        return future.result()
    except ProcessExpired as error:
        return Failure(path, f"the process that read it ended (exit status {error.exitcode}); its decoder crashed")
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        return failure(path, error)
