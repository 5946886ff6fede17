"""Scoring of source tracing: a logit of each class for every trial of the evaluated sources."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.detectors import models
from codecfake.detectors.detector import Detector
from codecfake.features import precision
from codecfake.features.clips import Clips
from codecfake.features.settings import FULL
from codecfake.features.streaming import StreamedFeatures, in_order
from codecfake.protocols import tracing, trials
from codecfake.scoring.conditions import BATCH_SIZE, ScoringError
from codecfake.scoring.score_store import SCORE


def score(
    model: Path,
    protocols: Sequence[Path],
    audio_root: Path,
    output: Path,
    device: torch.device,
    unseen: Iterable[str] = (),
    trained_on: Sequence[Path] = (),
    batch_size: int = BATCH_SIZE,
    workers: int = 0,
) -> None:
    """Score the trials of the model's classes, and of the sources `unseen`, in the protocols: one TSV, `output`.

    Its columns are `trial_id`, `source` and the logits of the classes, by their names. Each recording is scored once,
    and every batch has trials of one source, so that a control's logits are those of the recordings that it copies.

    Raises ModelError if the model does not trace sources, TrialsError if an evaluated recording was in the training
    data or a class has no trial, and ScoringError if a logit is not finite.
    """
    detector, crop_samples, classes = models.load_tracer(model, device)
    sources = [*tracing.sources_of(classes), *unseen]
    table = tracing.of_sources(pd.concat([trials.read([path]) for path in protocols], ignore_index=True), sources)
    tracing.require_every_class(table, classes, "evaluation")
    for path in trained_on:
        train = tracing.of_sources(trials.read([path]), sources)
        trials.require_disjoint(table, "evaluation", train, f"train ({path})")
    table = table.assign(traced=tracing.traced_sources(table, sources))
    table = table.sort_values(["corpus", "traced", "utterance_id"], ignore_index=True)
    scorer = _Scorer(model, detector, crop_samples, audio_root, device, batch_size, workers)
    with progress(None, "logits", total=len(table), unit="trial") as bar:
        parts = []
        for _, part in table.groupby(["corpus", "traced"]):
            parts.append(scorer.logits(part.reset_index(drop=True)))
            bar.update(len(part))
    files.write_tsv(output, _as_table(table, np.concatenate(parts), list(classes)))


class _Scorer:
    def __init__(
        self,
        model: Path,
        detector: Detector,
        crop_samples: int,
        audio_root: Path,
        device: torch.device,
        batch_size: int,
        workers: int,
    ) -> None:
        self._detector, self._crop_samples = detector, crop_samples
        self._settings = models.read_record(model)["settings"]
        self._audio_root, self._device, self._batch_size, self._workers = audio_root, device, batch_size, workers

    @torch.no_grad()
    def logits(self, part: pd.DataFrame) -> np.ndarray:
        """Logits `[N, C]`, float32, of trials of one source of one corpus."""
        clips = Clips(part, self._audio_root, self._crop_samples, pad=self._settings.get("pad", "repeat"))
        features = StreamedFeatures(
            clips,
            self._detector.front_end,
            self._device,
            self._workers,
            self._settings.get("front_end_precision", precision.EXACT),
            feature_precision=self._settings.get("feature_precision", FULL),
        )
        batches = features.batches(in_order(len(clips), self._batch_size))
        return np.concatenate([self._detector.head(batch).cpu().numpy() for batch in batches])


def _as_table(table: pd.DataFrame, logits: np.ndarray, classes: list[str]) -> pd.DataFrame:
    bad = ~np.isfinite(logits).all(axis=1)
    if bad.any():
        raise ScoringError(
            f"{bad.sum()} of {len(table)} trials have a logit that is not finite, first "
            f"{table['trial_id'][bad].iloc[0]}; look at its audio and at the model's history.tsv"
        )
    columns = {name: [SCORE(value) for value in logits[:, number]] for number, name in enumerate(classes)}
    return pd.DataFrame({"trial_id": table["trial_id"], "source": table["traced"], **columns})
