"""Scoring of source tracing: a logit of each class, or the predicted number, for every trial of the sources."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.base.settings import build
from codecfake.detectors import models
from codecfake.detectors.detector import Detector
from codecfake.features import precision
from codecfake.features.clips import Clips
from codecfake.features.settings import FULL
from codecfake.features.streaming import StreamedFeatures, in_order
from codecfake.protocols import tracing, trials
from codecfake.protocols.traced_quantities import TracedQuantity
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

    Its columns are `trial_id`, `source` and the logits of the classes, by their names; for a regression, the logarithm
    to base 2 of the predicted number, `log2_quantizers` or `log2_bitrate_kbps`. Each recording is scored once, and
    every batch has trials of one source, so that a control's outputs are those of the recordings that it copies.

    Raises ModelError if the model does not trace sources, TrialsError if an evaluated recording was in the training
    data or a class has no trial, and ScoringError if an output is not finite.
    """
    detector, crop_samples, record = models.load_tracer(model, device)
    classes, quantity = _trained(record)
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
            parts.append(scorer.outputs(part.reset_index(drop=True)))
            bar.update(len(part))
    outputs = np.concatenate(parts)
    if quantity is not None:
        outputs = quantity.mean + quantity.spread * outputs.astype(np.float64)
    files.write_tsv(output, _as_table(table, outputs, list(classes) if quantity is None else [quantity.column]))


def _trained(record: dict[str, Any]) -> tuple[dict[str, list[str]], TracedQuantity | None]:
    """The classes of a model, and what it predicts, if it is a regression; each of its sources is then a class."""
    if models.REGRESSION not in record:
        return record[models.CLASSES], None
    quantity = build(TracedQuantity, record[models.REGRESSION])
    return {source: [source] for source in quantity.values}, quantity


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
    def outputs(self, part: pd.DataFrame) -> np.ndarray:
        """Logits `[N, C]`, or numbers `[N, 1]`, float32, of trials of one source of one corpus."""
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


def _as_table(table: pd.DataFrame, outputs: np.ndarray, names: list[str]) -> pd.DataFrame:
    bad = ~np.isfinite(outputs).all(axis=1)
    if bad.any():
        raise ScoringError(
            f"{bad.sum()} of {len(table)} trials have an output that is not finite, first "
            f"{table['trial_id'][bad].iloc[0]}; look at its audio and at the model's history.tsv"
        )
    columns = {name: [SCORE(value) for value in outputs[:, number]] for number, name in enumerate(names)}
    return pd.DataFrame({"trial_id": table["trial_id"], "source": table["traced"], **columns})
