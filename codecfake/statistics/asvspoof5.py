"""The measures of ASVspoof 5, track 1, as its evaluation package computes them (Wang et al. 2024, arXiv 2408.08739)."""

from dataclasses import dataclass

import numpy as np

from codecfake.statistics import metrics
from codecfake.statistics.error_counts import ASVSPOOF5, finite_scores


@dataclass(frozen=True)
class Track1:
    """The measures of one set of scores, which are read as natural log-likelihood ratios of bona fide to spoof."""

    min_dcf: float
    act_dcf: float
    cllr: float  # bits
    eer: float  # in [0, 1]; a tie rejects the bona fide trial first, so equal scores give 1


def track1(bonafide: np.ndarray, spoof: np.ndarray) -> Track1:
    """Raises ValueError as `metrics.eer`."""
    values = metrics.measures(bonafide, spoof)
    return Track1(values.min_dcf, act_dcf(bonafide, spoof), values.cllr, values.eer)


def act_dcf(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """The cost at the Bayes threshold. Unlike in `metrics.act_dcf`, a score that equals the threshold is accepted.

    Raises ValueError as `metrics.eer`.
    """
    bonafide, spoof = finite_scores(bonafide, "bonafide"), finite_scores(spoof, "spoof")
    threshold = ASVSPOOF5.bayes_threshold
    miss_rate, false_alarm_rate = np.array([np.mean(bonafide < threshold)]), np.array([np.mean(spoof >= threshold)])
    return float(ASVSPOOF5.normalized_cost(miss_rate, false_alarm_rate)[0])
