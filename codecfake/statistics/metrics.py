"""Error rates, costs and information measures of scores; higher scores mean more bona fide.

Error rates are computed as in the ASVspoof 2021 evaluation package, also for ties, so they can be compared with
published ones. A detector that ranks spoofs above bona fide trials has an EER above 0.5 and an area under the curve
below 0.5: scores are never negated.
"""

from dataclasses import dataclass

import numpy as np

from codecfake.statistics.error_counts import (
    ASVSPOOF5,
    DetectionCost,
    Tally,
    act_dcfs,
    cllrs,
    eers,
    finite_scores,
    full_sample,
    min_cllrs,
    min_dcfs,
    rank,
    roc_aucs,
)

BELOW_LOWEST_SCORE = 0.001  # the package's first threshold is this far below the lowest score


@dataclass(frozen=True)
class EqualErrorRate:
    eer: float  # in [0, 1]
    threshold: float  # trials with a higher score are classified as bona fide


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


@dataclass(frozen=True)
class Measures:
    """Every metric of one set of scores. Those after `roc_auc` treat scores as log-likelihood ratios."""

    eer: float
    min_dcf: float
    min_cllr: float  # bits
    roc_auc: float
    act_dcf: float
    cllr: float  # bits


def measures(bonafide: np.ndarray, spoof: np.ndarray, cost: DetectionCost = ASVSPOOF5) -> Measures:
    """Every metric, with one sort. Raises ValueError as `eer`."""
    tally = _tally(bonafide, spoof)
    values = (
        eers(tally),
        min_dcfs(tally, cost),
        min_cllrs(tally),
        roc_aucs(tally),
        act_dcfs(tally, cost),
        cllrs(tally),
    )
    return Measures(*(float(value[0]) for value in values))


def eer(bonafide: np.ndarray, spoof: np.ndarray) -> EqualErrorRate:
    """The mean of miss and false-alarm rate where they are nearest, as ASVspoof 2021 computes it.

    Raises ValueError if either set is empty or has a score that is not finite.
    """
    curve = det_curve(bonafide, spoof)
    nearest = int(np.argmin(np.abs(curve.miss_rate - curve.false_alarm_rate)))
    mean = np.mean((curve.miss_rate[nearest], curve.false_alarm_rate[nearest]))
    return EqualErrorRate(float(mean), float(curve.thresholds[nearest]))


def det_curve(bonafide: np.ndarray, spoof: np.ndarray) -> DetCurve:
    """Error rates at every threshold that separates two scores.

    If a bona fide trial and a spoof have the same score, the bona fide trial is rejected first, as in the package.

    Raises ValueError as `eer`.
    """
    tally = _tally(bonafide, spoof)
    scores = tally.ranking.scores
    thresholds = np.concatenate(([scores[0] - BELOW_LOWEST_SCORE], scores))
    return DetCurve(tally.miss_rates[0], tally.false_alarm_rates[0], thresholds)


def confusion(bonafide: np.ndarray, spoof: np.ndarray, threshold: float) -> Confusion:
    """Counts if trials with scores above `threshold` are classified as bona fide. Raises ValueError as `eer`."""
    bonafide, spoof = finite_scores(bonafide, "bonafide"), finite_scores(spoof, "spoof")
    hits, alarms = int(np.count_nonzero(bonafide > threshold)), int(np.count_nonzero(spoof > threshold))
    return Confusion(hits, len(bonafide) - hits, alarms, len(spoof) - alarms)


def min_dcf(bonafide: np.ndarray, spoof: np.ndarray, cost: DetectionCost = ASVSPOOF5) -> float:
    """The normalized detection cost at the threshold where it is lowest, in [0, 1]. Raises ValueError as `eer`."""
    return float(min_dcfs(_tally(bonafide, spoof), cost)[0])


def act_dcf(bonafide: np.ndarray, spoof: np.ndarray, cost: DetectionCost = ASVSPOOF5) -> float:
    """The normalized detection cost at the Bayes threshold of log-likelihood ratios. Raises ValueError as `eer`."""
    return float(act_dcfs(_tally(bonafide, spoof), cost)[0])


def cllr(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """Cost of log-likelihood ratios in bits, over all priors (Brümmer and du Preez 2006); 1 without information.

    Raises ValueError as `eer`.
    """
    return float(cllrs(_tally(bonafide, spoof))[0])


def min_cllr(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """The lowest Cllr after any non-decreasing map of the scores, in [0, 1] bits.

    The map is fitted on the evaluated trials themselves (pool adjacent violators), without smoothing.
    Raises ValueError as `eer`.
    """
    return float(min_cllrs(_tally(bonafide, spoof))[0])


def roc_auc(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """The share of pairs in which the bona fide trial scores higher; a tie counts half.

    Raises ValueError as `eer`.
    """
    return float(roc_aucs(_tally(bonafide, spoof))[0])


def _tally(bonafide: np.ndarray, spoof: np.ndarray) -> Tally:
    bonafide, spoof = finite_scores(bonafide, "bonafide"), finite_scores(spoof, "spoof")
    is_bonafide = np.arange(len(bonafide) + len(spoof)) < len(bonafide)
    return full_sample(rank(np.concatenate((bonafide, spoof)), is_bonafide))
