"""Equal error rate, detection error trade-off and confusion counts of scores where higher means bona fide.

The error rates are those of the ASVspoof 2021 evaluation package, ties included, so a number computed here
may stand beside a published one.
"""

from dataclasses import dataclass

import numpy as np

BELOW_LOWEST_SCORE = 0.001  # the package's first threshold lies this far under the lowest score


@dataclass(frozen=True)
class EqualErrorRate:
    eer: float  # in [0, 1]
    threshold: float  # trials that score above it are taken for bona fide


@dataclass(frozen=True)
class DetCurve:
    """Error rates `[N + 1]` at ascending `thresholds`, the first of which accepts every trial."""

    miss_rate: np.ndarray  # share of bona fide trials rejected
    false_alarm_rate: np.ndarray  # share of spoof trials accepted
    thresholds: np.ndarray


@dataclass(frozen=True)
class Confusion:
    bonafide_accepted: int
    bonafide_rejected: int
    spoof_accepted: int
    spoof_rejected: int


def eer(bonafide: np.ndarray, spoof: np.ndarray) -> EqualErrorRate:
    """The mean of miss and false-alarm rate where they are nearest, as ASVspoof 2021 computes it.

    A detector that answers the wrong way round has an EER above 0.5; the sign is never turned.

    Raises ValueError if either set is empty or holds a score that is not finite.
    """
    curve = det_curve(bonafide, spoof)
    nearest = int(np.argmin(np.abs(curve.miss_rate - curve.false_alarm_rate)))
    mean = np.mean((curve.miss_rate[nearest], curve.false_alarm_rate[nearest]))
    return EqualErrorRate(float(mean), float(curve.thresholds[nearest]))


def det_curve(bonafide: np.ndarray, spoof: np.ndarray) -> DetCurve:
    """Error rates at every threshold that separates two scores.

    Where a bona fide and a spoof trial tie, the bona fide one is rejected first, as in the package.

    Raises ValueError as `eer`.
    """
    bonafide, spoof = _checked(bonafide, "bonafide"), _checked(spoof, "spoof")
    scores = np.concatenate((bonafide, spoof))
    order = np.argsort(scores, kind="stable")
    is_bonafide = order < len(bonafide)
    rejected_bonafide = np.cumsum(is_bonafide)
    rejected_spoof = np.arange(1, len(scores) + 1) - rejected_bonafide
    return DetCurve(
        miss_rate=np.concatenate(([0.0], rejected_bonafide / len(bonafide))),
        false_alarm_rate=np.concatenate(([1.0], (len(spoof) - rejected_spoof) / len(spoof))),
        thresholds=np.concatenate(([scores[order[0]] - BELOW_LOWEST_SCORE], scores[order])),
    )


def confusion(bonafide: np.ndarray, spoof: np.ndarray, threshold: float) -> Confusion:
    """Counts when trials that score above `threshold` are taken for bona fide. Raises ValueError as `eer`."""
    bonafide, spoof = _checked(bonafide, "bonafide"), _checked(spoof, "spoof")
    hits, alarms = int(np.count_nonzero(bonafide > threshold)), int(np.count_nonzero(spoof > threshold))
    return Confusion(hits, len(bonafide) - hits, alarms, len(spoof) - alarms)


def _checked(scores: np.ndarray, key: str) -> np.ndarray:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"{key} scores have shape {list(scores.shape)}; a list of at least one score is needed")
    if not np.isfinite(scores).all():
        first = int(np.argmin(np.isfinite(scores)))
        raise ValueError(f"{key} score number {first} is {scores[first]}; every score must be finite")
    return scores
