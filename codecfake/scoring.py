"""Scoring of evaluation conditions by a trained detector; higher scores mean more bona fide."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from codecfake import files, models, precision, trials
from codecfake.clips import Clips
from codecfake.detectors.detector import Detector
from codecfake.detectors.detector import score as score_of
from codecfake.features import StreamedFeatures, in_order
from codecfake.progress import progress
from codecfake.trials import RECORDING


class ScoringError(ValueError):
    """Trials cannot be scored."""


def score(
    model: Path,
    protocols: Sequence[Path],
    audio_root: Path,
    output: Path,
    device: torch.device,
    trained_on: Sequence[Path] = (),
    batch_size: int = 32,
    workers: int = 0,
) -> None:
    """Score each protocol `{condition}.tsv` into `output/{condition}.tsv`: `trial_id, score`, in its order.

    A recording is scored once, however many conditions it is in. `trained_on` are the model's train protocols.
    Raises ScoringError if two protocols have the same name or a score is not finite, TrialsError if a recording that
    is to be judged was trained on, and PrecisionError if the precision of training moves scores.
    """
    conditions = {path.stem: trials.read([path]) for path in protocols}
    if len(conditions) < len(protocols):
        raise ScoringError(
            f"{len(protocols)} protocols have {len(conditions)} file names; every condition needs its own"
        )
    for path in trained_on:
        for name, condition in conditions.items():
            trials.require_disjoint(condition, name, trials.read([path]), f"train ({path})")
    detector, crop_samples = models.load(model, device)
    distinct = pd.concat(conditions.values()).drop_duplicates(RECORDING).sort_values(RECORDING, ignore_index=True)
    trained = models.read_record(model)["settings"]
    clips = Clips(distinct, audio_root, crop_samples, pad=trained.get("pad", "repeat"))
    bits = trained.get("front_end_precision", precision.EXACT)
    distinct["score"] = _scores(detector, clips, batch_size, device, workers, bits)
    _require_finite(distinct)
    for name, condition in conditions.items():
        scored = condition.merge(distinct[[*RECORDING, "score"]], on=RECORDING, how="left", validate="one_to_one")
        scored["score"] = scored["score"].map("{:.9g}".format)  # a float32, without loss
        files.write_tsv(output / f"{name}.tsv", scored[["trial_id", "score"]])


@torch.no_grad()
def _scores(
    detector: Detector, clips: Clips, batch_size: int, device: torch.device, workers: int, bits: str
) -> np.ndarray:
    features = StreamedFeatures(clips, detector.front_end, device, workers, bits)
    order = in_order(len(clips), batch_size)
    bar = progress(features.batches(order), "scores", total=len(order), unit="batch")
    scores = torch.cat([score_of(detector.back_end(batch)).cpu() for batch in bar])
    if bits != precision.EXACT:
        exact = StreamedFeatures(clips, detector.front_end, device)
        spread = scores.std(correction=0)
        first = score_of(detector.back_end(next(exact.batches(order[:1])))).cpu()
        precision.require_small_shift(scores[: len(first)], first, spread, bits)
    return scores.numpy()


def _require_finite(table: pd.DataFrame) -> None:
    bad = table[~np.isfinite(table["score"])]
    if len(bad):
        raise ScoringError(
            f"{len(bad)} of {len(table)} trials have a score that is not finite, the first is "
            f"{bad['trial_id'].iloc[0]}; look at its audio and at the detector's history.tsv"
        )
