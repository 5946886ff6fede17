"""Detectors for arrays and files."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from codecfake.base.devices import prepare
from codecfake.base.home import expanded
from codecfake.scoring import judging, model_sources, reading, verdicts
from codecfake.scoring.audio_files import audio_files
from codecfake.scoring.model_sources import Source

COLUMNS = ["path", "score", "verdict", "llr", "duration", "reason", "demonstration"]


class SpeechDetector:
    """A trained, imported or shipped detector; a higher score means more bona fide.

    `is_demonstration` says whether it is one that the package ships to try it out.
    """

    def __init__(self, source: Source, device: torch.device, front_end: str | None = None, batch_size: int = 1) -> None:
        self._judge = judging.Judge(source.folder, device, front_end, batch_size=batch_size)
        path = source.folder / verdicts.CALIBRATION
        self._dev = verdicts.read(path) if path.is_file() else None
        self._rule = verdicts.rule(None, self._dev, path)
        self.is_demonstration = source.is_demonstration
        self._source = source

    @property
    def card(self) -> str:
        """The text of the model's card. Raises SourceError if it has none."""
        return self._source.read_card()

    def score(self, wav: np.ndarray, sample_rate: int) -> float:
        """The score of speech `[T]`, full scale at ±1: logit of bona fide minus logit of spoof.

        Speech is resampled to 16 kHz and rounded to 16 bit, as in training. The score of a recording that is longer
        than the detector's window is the mean over its windows.

        Raises AudioError if a sample or the score is not finite.
        """
        return self._judge.of_waveform(reading.as_in_shards(np.asarray(wav), sample_rate)).score

    def score_files(self, paths: Sequence[str | Path], workers: int = 0) -> pd.DataFrame:
        """One row per file: path, score, verdict, llr (natural log), duration (s), reason, demonstration.

        Folders are searched for audio. A file that cannot be scored, or a folder that cannot be read, has no score, but
        a reason. `verdict` is `bona fide` or `spoof`, or `undecided` if the detector's dev scores mean nothing; `llr`
        is the log-likelihood ratio of bona fide over spoof, empty for a detector without a calibration. `workers`
        processes read files ahead; 0: this one reads.

        Raises AudioError if a folder has no audio file.
        """
        listing = audio_files([Path(expanded(str(path))) for path in paths])
        rows = [self._row(outcome) for outcome in judging.judge_files(self._judge, listing.paths, workers)]
        rows += [{"path": str(path), "reason": reason} for path, reason in listing.left_out.unreadable.items()]
        return pd.DataFrame(rows, columns=COLUMNS).assign(demonstration=self.is_demonstration)

    def _row(self, outcome: judging.Outcome) -> dict[str, object]:
        if isinstance(outcome, reading.Failure):
            return {"path": str(outcome.path), "reason": outcome.reason}
        return {
            "path": str(outcome.path),
            "score": outcome.score,
            "verdict": self._rule.verdict(outcome.score),
            "llr": self._dev.llr(outcome.score) if self._dev else None,
            "duration": outcome.duration,
            "reason": "",
        }


def load_detector(
    model: str | Path | None = None,
    device: str = "cpu",
    front_end: str | None = None,
    threads: int | None = None,
    batch_size: int = 1,
    folder: str | Path = "weights",
) -> SpeechDetector:
    """A detector: a model folder, such as a run's results/models/mel-lcnn/codec/erm/seed1, or a shipped one by name.

    Without `model`, the default of those that the package ships: a demonstration, which a warning says. A hub id
    `OWNER/NAME`, or `hf:OWNER/NAME`, is read from `folder`, or else downloaded to it.

    `front_end`: folder or hub id of its pretrained front-end, if it has moved since training. `batch_size`: windows
    that the network takes at once; with more than one, the last digits of scores depend on the other files. `device`:
    `cpu`, `cuda` or `auto`. `threads`: of the CPU; None leaves torch's number.

    Raises SourceError, ShippedModelError, HubError or ModelError if there is no such detector, and GpuError for `cuda`
    without a GPU.
    """
    source = model_sources.find(model, os.environ, Path(folder), front_end)
    if source.is_demonstration:
        warnings.warn(source.notice, stacklevel=2)
    return SpeechDetector(source, prepare(device, threads or torch.get_num_threads()), front_end, batch_size)
