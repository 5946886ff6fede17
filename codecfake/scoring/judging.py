"""Judgments of audio files, which are read by the same code as the recordings of training (`reading`).

The detector's input is a window of 64,600 samples, as published. A longer file is cut into adjacent windows, the last
of which ends with the file; a shorter one is padded as in training. A file's score is the mean over its windows.
Detectors that were published for whole recordings have one window of any length. For protocols, `conditions` scores
only the first window, as in the papers.

The network takes one window at a time unless told otherwise, since its sums depend on the size of a batch in their last
digits: so a score depends on the file alone. Batches of several windows, of one file or of several, are for GPUs.
"""

import logging
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from codecfake.audio import waveforms
from codecfake.audio.waveforms import AudioError
from codecfake.base.suggestions import unknown
from codecfake.detectors import SAMPLE_RATE, models
from codecfake.detectors.detector import score as score_of
from codecfake.detectors.released import PUBLISHED_SCORES
from codecfake.detectors.released_forms import WHOLE
from codecfake.features.clips import LENGTHENED, clip
from codecfake.scoring import reading
from codecfake.scoring.reading import Failure, Waveform

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Window:
    start: float  # seconds
    score: float


@dataclass(frozen=True)
class Judgment:
    path: Path
    duration: float  # seconds
    clipped_samples: int  # at 16 kHz and 16 bit
    score: float  # the mean of the windows'; higher means more bona fide
    windows: list[Window]
    published: float | None  # as released code computes it, of the first window only

    @property
    def lowest(self) -> Window:
        return min(self.windows, key=lambda window: window.score)


Outcome = Judgment | Failure


class Judge:
    """A model folder's detector, for audio files."""

    def __init__(
        self,
        model: Path,
        device: torch.device,
        front_end_weights: str | None = None,
        published: str | None = None,
        batch_size: int = 1,
    ) -> None:
        """`published` is the form of PUBLISHED_SCORES to give too; `batch_size` is in windows.

        Raises ModelError as `models.load`, and for batches of whole recordings, which differ in length.
        """
        self._detector, crop_samples = models.load(model, device, front_end_weights)
        settings = models.read_record(model)["settings"]
        self._pad = settings.get("pad", "repeat")
        self.window_samples = None if settings.get("crop") == WHOLE else crop_samples  # None: the whole recording
        if self._pad not in LENGTHENED:
            raise models.ModelError(f"{model}: {unknown('padding', self._pad, LENGTHENED)}; {models.REMEDY}")
        self._device = device
        self._published = published
        self._batch_size = batch_size
        if self.window_samples is None and batch_size > 1:
            raise models.ModelError(
                f"{model}: scores whole recordings, whose lengths differ, so --batch-size cannot be {batch_size}; "
                f"leave it out"
            )

    def __call__(self, path: Path) -> Judgment:
        """Raises AudioError if a file cannot be used, or if the detector has no finite score for it."""
        return self.of_waveform(reading.waveform(path))

    def of_waveform(self, waveform: Waveform) -> Judgment:
        """Raises AudioError if the detector has no finite score for it."""
        logits = [self.logits([window]) for window in self.windows(waveform)]
        return self.judgment(waveform, torch.cat(logits))

    def judge_all(self, readings: Iterable[Waveform | Failure]) -> Iterator[Outcome]:
        """The judgment of each waveform, in order; failures pass through, and new ones raise nothing."""
        queue: deque[_Pending | Failure] = deque()
        batch: list[tuple[_Pending, np.ndarray]] = []
        for each in readings:
            if isinstance(each, Failure):
                queue.append(each)
            else:
                queue.append(pending := _Pending(each))
                for window in self.windows(each):
                    pending.num_windows += 1
                    batch.append((pending, window))
                    if len(batch) == self._batch_size:
                        self._run(batch)
            while queue and _is_complete(queue[0]):
                yield self._outcome(queue.popleft())
        self._run(batch)
        yield from map(self._outcome, queue)

    def windows(self, waveform: Waveform) -> Iterator[np.ndarray]:
        """The detector's inputs `[T]`, float32, in order."""
        samples = waveform.samples
        size = self.window_samples or len(samples)
        for start in window_starts(len(samples), size):
            part = samples[start : start + size] / waveforms.FULL_SCALE
            yield clip(part, size, self._pad).astype(np.float32)

    @torch.no_grad()
    def logits(self, windows: Sequence[np.ndarray]) -> torch.Tensor:
        """Logits `[N, 2]` of windows of one length."""
        return self._detector(torch.from_numpy(np.stack(windows)).to(self._device)).cpu()

    def scores_of(self, parts: Sequence[np.ndarray]) -> list[float]:
        """The scores of parts of recordings, int16 `[T]` each, all of one length, in one batch.

        Parts that are shorter than the detector's input are padded as recordings are.
        """
        size = self.window_samples or len(parts[0])
        inputs = [clip(part / waveforms.FULL_SCALE, size, self._pad).astype(np.float32) for part in parts]
        return [float(score) for score in score_of(self.logits(inputs))]

    def judgment(self, waveform: Waveform, logits: torch.Tensor) -> Judgment:
        """The judgment of the logits `[N, 2]` of all windows. Raises AudioError if a score is not finite."""
        scores = score_of(logits).tolist()
        if not np.isfinite(scores).all():
            raise AudioError("the detector has no finite score for it")
        length = len(waveform.samples)
        starts = window_starts(length, self.window_samples or length)
        windows = [Window(start / SAMPLE_RATE, score) for start, score in zip(starts, scores, strict=True)]
        published = float(PUBLISHED_SCORES[self._published](logits)[0]) if self._published else None
        mean = math.fsum(scores) / len(scores)
        return Judgment(waveform.path, length / SAMPLE_RATE, waveform.clipped_samples, mean, windows, published)

    def _run(self, batch: "list[tuple[_Pending, np.ndarray]]") -> None:
        """Compute the logits of a batch and empty it. If it fails, its windows are tried one by one."""
        windows, batch[:] = list(batch), []
        if not windows:
            return
        try:
            rows = self.logits([window for _, window in windows])
        except (RuntimeError, MemoryError, ValueError) as error:
            if len(windows) == 1:
                windows[0][0].error = error
                return
            log.warning("a batch of %d windows failed (%s); they are scored one by one", len(windows), error)
            for each in windows:
                self._run([each])
            return
        for (pending, _), row in zip(windows, rows.split(1), strict=True):
            pending.logits.append(row)

    def _outcome(self, pending: "_Pending | Failure") -> Outcome:
        if isinstance(pending, Failure):
            return pending
        try:
            if pending.error is not None:
                raise pending.error
            return self.judgment(pending.waveform, torch.cat(pending.logits))
        except (AudioError, RuntimeError, MemoryError, ValueError) as error:
            return reading.failure(pending.waveform.path, error)


@dataclass
class _Pending:
    """A waveform of which some windows may still be in a batch."""

    waveform: Waveform
    num_windows: int = 0
    logits: list[torch.Tensor] = field(default_factory=list)
    error: Exception | None = None


def _is_complete(pending: _Pending | Failure) -> bool:
    return isinstance(pending, Failure) or pending.error is not None or len(pending.logits) == pending.num_windows


def judge_files(judge: Judge, paths: Sequence[Path], workers: int = 0) -> Iterator[Outcome]:
    """The judgment of each file, or why it failed. Faults of a file raise nothing, so the others are judged."""
    return judge.judge_all(reading.read_all(paths, workers))


def window_starts(num_samples: int, window_samples: int) -> list[int]:
    """First samples of adjacent windows, and of one more that ends with the recording if samples are left."""
    starts = list(range(0, max(1, num_samples - window_samples + 1), window_samples))
    rest = num_samples - window_samples
    return starts if rest <= starts[-1] else [*starts, rest]
