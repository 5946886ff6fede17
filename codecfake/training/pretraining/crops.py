"""Random crops of recordings, in memory: an hour takes 115 MB."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codecfake.audio import waveforms
from codecfake.audio.waveforms import AudioError
from codecfake.base.progress import progress
from codecfake.detectors.front_end_settings import VARIANCE_FLOOR
from codecfake.scoring import reading
from codecfake.scoring.reading import Failure

LOG = logging.getLogger(__name__)


class Crops:
    """Crops of `crop_samples` at 16 kHz, of zero mean and unit variance as wav2vec 2.0 wants them."""

    def __init__(self, recordings: Sequence[np.ndarray], crop_samples: int) -> None:
        self._recordings, self._samples = recordings, crop_samples
        self._starts = np.array([len(each) - crop_samples + 1 for each in recordings])

    def draw(self, number: int, rng: np.random.Generator) -> Tensor:
        """`[number, T]`: every sample is as likely as any other to be the first of a crop."""
        which = rng.choice(len(self._recordings), number, p=self._starts / self._starts.sum())
        return torch.stack([self._crop(index, int(rng.integers(self._starts[index]))) for index in which])

    def _crop(self, index: int, start: int) -> Tensor:
        samples = self._recordings[index][start : start + self._samples]
        wav = torch.from_numpy(samples.astype(np.float32) / waveforms.FULL_SCALE)
        return (wav - wav.mean()) / (wav.var(correction=0) + VARIANCE_FLOOR).sqrt()


def read(paths: Sequence[Path], crop_samples: int) -> Crops:
    """The crops of audio files; those that are shorter than a crop are left out, and counted in the log.

    Raises AudioError with all files that cannot be used, or if none is long enough.
    """
    outcomes = [reading.read(path) for path in progress(paths, "read", len(paths), "file")]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        reasons = "".join(f"\n{failure.path}: {failure.reason}" for failure in failures)
        raise AudioError(f"remove or replace the recordings that cannot be used, {len(failures)} files:{reasons}")
    recordings = [outcome.samples for outcome in outcomes if not isinstance(outcome, Failure)]
    long_enough = [samples for samples in recordings if len(samples) >= crop_samples]
    if not long_enough:
        raise AudioError(f"none of {len(recordings)} recordings has {crop_samples} samples at 16 kHz; crop less")
    if len(long_enough) < len(recordings):
        LOG.warning("left out: %d recordings shorter than a crop", len(recordings) - len(long_enough))
    return Crops(long_enough, crop_samples)
