"""Detectors for arrays and files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from codecfake.base.devices import prepare
from codecfake.scoring import judging, verdicts


class SpeechDetector:
    """A trained or imported detector; a higher score means more bona fide."""

    def __init__(self, model: Path, device: torch.device, front_end: str | None = None) -> None:
        self._judge = judging.Judge(model, device, front_end)
        path = model / verdicts.CALIBRATION
        self._dev = verdicts.read(path) if path.is_file() else None
        self._rule = verdicts.rule(None, self._dev, path)

    def score(self, wav: np.ndarray, sample_rate: int) -> float:
        """The score of speech `[T]`, full scale at ±1: logit of bona fide minus logit of spoof."""
        samples, _ = judging.as_in_shards(np.asarray(wav), sample_rate)
        return self._judge.of_samples(samples).score

    def score_files(self, paths: Sequence[str | Path]) -> pd.DataFrame:
        """One row per file: path, score, verdict, llr (natural log), duration (s), reason.

        Folders are searched for audio. A file that cannot be scored, or a folder that cannot be
        read, has no score, but a reason.
        """
        files, left_out = judging.audio_files([Path(path) for path in paths])
        rows = [self._row(outcome) for outcome in judging.judge_files(self._judge, files)]
        rows += [{"path": str(path), "reason": reason} for path, reason in left_out.unreadable.items()]
        return pd.DataFrame(rows, columns=["path", "score", "verdict", "llr", "duration", "reason"])

    def _row(self, outcome: judging.Outcome) -> dict[str, object]:
        if isinstance(outcome, judging.Failure):
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
    model: str | Path, device: str = "cpu", front_end: str | None = None, threads: int | None = None
) -> SpeechDetector:
    """The detector of a model folder, such as a run's results/models/mel-lcnn/codec/erm/seed1.

    `front_end`: folder or hub id of its pretrained front-end, if it has moved since training. Raises ModelError if the
    folder has no model.
    """
    return SpeechDetector(Path(model), prepare(device, threads or torch.get_num_threads()), front_end)
