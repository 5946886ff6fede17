"""Equal error rates as exact fractions, which show how a printed number was rounded."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from codecfake.statistics.asvspoof5 import Track1, track1
from codecfake.statistics.error_counts import crossings, eers, full_sample, rank
from codecfake.statistics.exact_bounds import exact_eer
from codecfake.statistics.intervals import BootstrapSettings, Interval, Trials, bootstrap

SEED = 0  # of the bootstrap: the same file gives the same bytes
METRICS = ("asvspoof5",)  # more measures to compute on request


@dataclass(frozen=True)
class ErrorRate:
    """The EER of one file in percent, the EER of its negated scores, and the bounds of the first."""

    percent: Fraction
    negated_percent: Fraction
    num_bonafide: int
    num_spoof: int
    low: float  # percent
    high: float
    method: str
    has_direction: bool = True  # False if the scores of a key are all equal, so that no order of the keys is shown
    asvspoof5: Track1 | None = None  # if asked for

    @property
    def step_percent(self) -> float:
        """The change of the rate with one more error in the smaller key."""
        return 100 / min(self.num_bonafide, self.num_spoof)

    def within(self, interval: Interval) -> "ErrorRate":
        """The same rate with other bounds, given as shares."""
        return replace(self, low=100 * interval.low, high=100 * interval.high, method=interval.method)


def error_rate(bonafide: np.ndarray, spoof: np.ndarray, level: float = 0.95, metrics: str | None = None) -> ErrorRate:
    """The EER with the exact bounds for independent trials, and more measures (of METRICS).

    Raises ValueError as `metrics.eer`.
    """
    (misses, false_alarms), (of_negated) = _errors(bonafide, spoof), _errors(-bonafide, -spoof)
    sizes = len(bonafide), len(spoof)
    low, high = exact_eer(misses, sizes[0], false_alarms, sizes[1], level)
    percent, negated = _percent((misses, false_alarms), sizes), _percent(of_negated, sizes)
    has_direction = all((scores != scores[0]).any() for scores in (bonafide, spoof))
    costs = track1(bonafide, spoof) if metrics == "asvspoof5" else None
    method = "exact (Clopper and Pearson)"
    return ErrorRate(percent, negated, *sizes, 100 * low, 100 * high, method, has_direction, costs)


def bootstrap_eer(
    bonafide: np.ndarray, spoof: np.ndarray, settings: BootstrapSettings, speakers: np.ndarray | None = None
) -> Interval:
    """The bootstrap interval of the EER, as a share; `speakers` [B + S] names those of bona fide trials, then spoofs.

    Raises ValueError as `intervals.bootstrap`.
    """
    trials = Trials(np.arange(len(bonafide) + len(spoof)) < len(bonafide), speakers)
    scores = np.concatenate((bonafide, spoof))
    return bootstrap(trials, scores, {"eer": eers}, settings, np.random.default_rng(SEED))["eer"]


def _errors(bonafide: np.ndarray, spoof: np.ndarray) -> tuple[int, int]:
    is_bonafide = np.arange(len(bonafide) + len(spoof)) < len(bonafide)
    misses, false_alarms = crossings(full_sample(rank(np.concatenate((bonafide, spoof)), is_bonafide)))
    return int(misses[0]), int(false_alarms[0])


def _percent(errors: tuple[int, int], sizes: tuple[int, int]) -> Fraction:
    return 50 * (Fraction(errors[0], sizes[0]) + Fraction(errors[1], sizes[1]))


def costs_as_json(rate: ErrorRate) -> dict[str, dict[str, float]]:
    """The measures of track 1 as plain values; empty if they were not asked for."""
    costs = rate.asvspoof5
    if costs is None:
        return {}
    return {
        "asvspoof5": {
            "min_dcf": costs.min_dcf,
            "act_dcf": costs.act_dcf,
            "cllr_bits": costs.cllr,
            "eer_percent": 100 * costs.eer,
        }
    }
