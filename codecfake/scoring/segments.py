"""Scores of the segments of an utterance, by any detector: where in it is a fake?

Segments are windows of equal length. For a detector with a longer input, they are extended as short recordings are.
Segments of one utterance are scored in batches of their own, so that a score depends on the audio alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from codecfake.audio import waveforms
from codecfake.audio.shards import AudioStore
from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.detectors import SAMPLE_RATE
from codecfake.protocols import trials
from codecfake.protocols.trials import RECORDING
from codecfake.scoring.conditions import ScoringError
from codecfake.scoring.judging import Judge
from codecfake.scoring.reading import Waveform, as_in_shards
from codecfake.scoring.score_store import SCORE
from codecfake.scoring.segment_settings import SegmentSettings

OF_SEGMENT = ["start", "end", "score"]
AT_ONCE = 16  # segments in a batch


@dataclass(frozen=True)
class Segment:
    start: float  # seconds
    end: float
    score: float

    def cells(self) -> tuple[str, ...]:
        """The cells of `OF_SEGMENT`."""
        return f"{self.start:.4f}", f"{self.end:.4f}", SCORE(self.score)


def score(
    model: Path,
    protocols: Sequence[Path],
    audio_root: Path,
    output: Path,
    settings: SegmentSettings,
    device: torch.device,
    trained_on: Sequence[Path] = (),
) -> None:
    """Score the segments of all recordings in protocols, each once: one TSV, `RECORDING` and `OF_SEGMENT`.

    Raises ScoringError as `Segmenter`, and TrialsError if an evaluated recording was in the training data.
    """
    conditions = [trials.read([path]) for path in protocols]
    for path in trained_on:
        train = trials.read([path])
        for protocol, condition in zip(protocols, conditions, strict=True):
            trials.require_disjoint(condition, protocol.stem, train, f"train ({path})")
    segmenter = Segmenter(Judge(model, device), settings)
    distinct = pd.concat(conditions).drop_duplicates(RECORDING).sort_values(RECORDING)
    names = list(distinct[RECORDING].itertuples(index=False, name=None))
    store = AudioStore(audio_root, [name[:2] for name in names])
    rows = [
        (*name, *segment.cells())
        for name in progress(names, "segments", len(names), "utt")
        for segment in segmenter(_waveform(store, name))
    ]
    files.write_tsv(output, pd.DataFrame(rows, columns=[*RECORDING, *OF_SEGMENT]))


class Segmenter:
    """Scores the segments of a waveform."""

    def __init__(self, judge: Judge, settings: SegmentSettings) -> None:
        """Raises ScoringError if the detector would hear the beginning of a window alone."""
        self._judge = judge
        self._window, self._hop = (round(seconds * SAMPLE_RATE) for seconds in (settings.window, settings.hop))
        longest = judge.window_samples
        if longest is not None and self._window > longest:
            raise ScoringError(
                f"windows of {settings.window:g} s are longer than the detector's input of "
                f"{longest / SAMPLE_RATE:g} s; choose shorter ones"
            )

    def __call__(self, waveform: Waveform) -> Iterator[Segment]:
        """The segments in order; they cover the waveform. Raises ScoringError if a score is not finite."""
        every = segment_starts(len(waveform.samples), self._window, self._hop)
        for place in range(0, len(every), AT_ONCE):
            starts = every[place : place + AT_ONCE]
            parts = [waveform.samples[start : start + self._window] for start in starts]
            for start, part, value in zip(starts, parts, self._judge.scores_of(parts), strict=True):
                if not np.isfinite(value):
                    raise ScoringError(
                        f"{waveform.path}: the detector has no finite score for the segment at "
                        f"{start / SAMPLE_RATE:.2f} s; look at its audio and at the detector's history.tsv"
                    )
                yield Segment(start / SAMPLE_RATE, (start + len(part)) / SAMPLE_RATE, value)


def segment_starts(num_samples: int, window: int, hop: int) -> list[int]:
    """First samples of windows at every `hop`, and of one more that ends with the recording if samples are left.

    A recording of at most one window is one segment.
    """
    starts = list(range(0, max(1, num_samples - window + 1), hop))
    rest = num_samples - window
    return starts if rest <= starts[-1] else [*starts, rest]


def _waveform(store: AudioStore, name: tuple[str, str, str]) -> Waveform:
    samples, sample_rate = store.read(*name)
    return as_in_shards(samples / waveforms.FULL_SCALE, sample_rate, Path("/".join(name)))
