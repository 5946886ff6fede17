"""Scoring of evaluation conditions by a trained detector; higher scores mean more bona fide."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.detectors import models
from codecfake.detectors.detector import score as score_of
from codecfake.detectors.released_forms import WHOLE
from codecfake.features import precision
from codecfake.features.clips import Clips
from codecfake.features.settings import FULL
from codecfake.features.streaming import StreamedFeatures, in_order
from codecfake.features.whole_clips import WholeClips
from codecfake.protocols import trials
from codecfake.protocols.trials import RECORDING
from codecfake.scoring.score_store import SCORE, ScoreStore, identity

BATCH_SIZE = 32


class ScoringError(ValueError):
    """Trials cannot be scored."""


def score(
    model: Path,
    protocols: Sequence[Path],
    audio_root: Path,
    output: Path,
    device: torch.device,
    trained_on: Sequence[Path] = (),
    batch_size: int = BATCH_SIZE,
    workers: int = 0,
    score_store: Path | None = None,
) -> None:
    """Score each protocol `{condition}.tsv` into `output/{condition}.tsv`: `trial_id, score`, in its order.

    A recording is scored once, however many conditions use it. `trained_on` are the model's train protocols. The folder
    `score_store` keeps scores: a source with the same model, utterances and audio is not scored again.
    Raises ScoringError if two protocols have the same name or a score is not finite, TrialsError if an evaluated
    recording was in the training data, and PrecisionError if the precision of training changes scores.
    """
    conditions = {path.stem: trials.read([path]) for path in protocols}
    if len(conditions) < len(protocols):
        raise ScoringError(
            f"{len(protocols)} protocols have {len(conditions)} file names; every condition needs a unique one"
        )
    for path in trained_on:
        train = trials.read([path])
        for name, condition in conditions.items():
            trials.require_disjoint(condition, name, train, f"train ({path})")
    distinct = pd.concat(conditions.values()).drop_duplicates(RECORDING).sort_values(RECORDING, ignore_index=True)
    scorer = Scorer(model, audio_root, device, batch_size, workers, score_store)
    with progress(None, "scores", total=len(distinct), unit="trial") as bar:
        distinct["score"] = np.concatenate([scorer.of_source(part, bar) for _, part in distinct.groupby(RECORDING[:2])])
    _require_finite(distinct)
    scorer.require_precise(distinct)
    for name, condition in conditions.items():
        table = condition.merge(distinct[[*RECORDING, "score"]], on=RECORDING, how="left", validate="one_to_one")
        table["score"] = table["score"].map(SCORE)
        files.write_tsv(output / f"{name}.tsv", table[["trial_id", "score"]])


class Scorer:
    """A trained detector. Every batch has trials of one source, so a score depends only on the trials of its source."""

    def __init__(
        self,
        model: Path,
        audio_root: Path,
        device: torch.device,
        batch_size: int,
        workers: int,
        score_store: Path | None,
    ) -> None:
        self._detector, self._crop_samples = models.load(model, device)
        settings = models.read_record(model)["settings"]
        self._is_whole = settings.get("crop") == WHOLE
        self._pad, self._bits = settings.get("pad", "repeat"), settings.get("front_end_precision", precision.EXACT)
        self._feature_precision = settings.get("feature_precision", FULL)
        self._audio_root, self._device, self._batch_size, self._workers = audio_root, device, batch_size, workers
        what = identity(model, batch_size=batch_size, device=device.type)
        self._store = ScoreStore(score_store, what) if score_store is not None else None

    def of_source(self, part: pd.DataFrame, bar: tqdm) -> np.ndarray:
        """Scores `[N]`, float32, of the trials of one source of one corpus, in their order."""
        clips, utterances = self._clips(part), part["utterance_id"]
        name = "/".join(part[RECORDING[:2]].iloc[0])
        digest = clips.digest() if self._store else ""
        stored_scores = self._store.find(name, utterances, digest) if self._store else None
        if stored_scores is not None:
            bar.update(len(part))
            return stored_scores
        scores = np.concatenate([_advance(batch, bar) for batch in self._batches(clips)])
        if self._store:
            self._store.keep(name, utterances, digest, scores)
        return scores

    def require_precise(self, table: pd.DataFrame) -> None:
        """Raise PrecisionError if fewer bits change the first scores by too large a part of the spread of `scored`."""
        if self._bits == precision.EXACT:
            return
        _, first = next(iter(table.groupby(RECORDING[:2])))
        exact = torch.from_numpy(next(self._batches(self._clips(first), precision.EXACT)))
        scores = torch.tensor(first["score"].to_numpy(np.float32)[: len(exact)])
        spread = torch.tensor(table["score"].to_numpy()).std(correction=0)
        precision.require_small_shift(scores, exact, spread, self._bits)

    def _clips(self, part: pd.DataFrame) -> Clips:
        trials = part.reset_index(drop=True)
        if self._is_whole:
            return WholeClips(trials, self._audio_root)
        return Clips(trials, self._audio_root, self._crop_samples, pad=self._pad)

    @torch.no_grad()
    def _batches(self, clips: Clips, bits: str | None = None) -> Iterator[np.ndarray]:
        features = StreamedFeatures(
            clips,
            self._detector.front_end,
            self._device,
            self._workers,
            bits or self._bits,
            feature_precision=self._feature_precision,
        )
        for batch in features.batches(in_order(len(clips), 1 if self._is_whole else self._batch_size)):
            yield score_of(self._detector.head(batch)).cpu().numpy()


def _advance(batch: np.ndarray, bar: tqdm) -> np.ndarray:
    bar.update(len(batch))
    return batch


def _require_finite(table: pd.DataFrame) -> None:
    bad = table[~np.isfinite(table["score"])]
    if len(bad):
        raise ScoringError(
            f"{len(bad)} of {len(table)} trials have a score that is not finite, first "
            f"{bad['trial_id'].iloc[0]}; look at its audio and at the detector's history.tsv"
        )
