"""Metrics of many samples of the same trials at a time. A sample gives each trial a count.

Scores are sorted once (`rank`). A `Tally` has the count of each ranked trial in each sample: 1 for the original trials,
and for a bootstrap resample the number of times that the trial was drawn. Each metric returns one value per sample, so
an estimate (`codecfake.statistics.metrics`) and its interval (`codecfake.statistics.intervals`) use the same code.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class DetectionCost:
    """The costs of errors. The defaults are those of ASVspoof 5, track 1 (Wang et al. 2024, arXiv 2408.08739)."""

    spoof_prior: float = 0.05  # the share of spoofs among the trials that the detector will meet
    miss_cost: float = 1.0  # of rejecting a bona fide trial
    false_alarm_cost: float = 10.0  # of accepting a spoof

    def __post_init__(self) -> None:
        if not 0 < self.spoof_prior < 1:
            raise ValueError(f"spoof_prior is {self.spoof_prior}; it must be between 0 and 1")
        if not (0 < self.miss_cost < math.inf and 0 < self.false_alarm_cost < math.inf):
            raise ValueError(f"costs are {self.miss_cost} and {self.false_alarm_cost}; both must be above 0 and finite")

    def normalized_cost(self, miss_rate: np.ndarray, false_alarm_rate: np.ndarray) -> np.ndarray:
        """The expected cost, divided by the cost of accepting all or rejecting all, whichever is lower."""
        miss = self.miss_cost * (1 - self.spoof_prior)
        false_alarm = self.false_alarm_cost * self.spoof_prior
        return (miss * miss_rate + false_alarm * false_alarm_rate) / min(miss, false_alarm)

    @property
    def bayes_threshold(self) -> float:
        """The log-likelihood ratio above which accepting costs less than rejecting."""
        return math.log(self.false_alarm_cost * self.spoof_prior) - math.log(self.miss_cost * (1 - self.spoof_prior))


ASVSPOOF5 = DetectionCost()


@dataclass(frozen=True)
class RankedScores:
    """Trials in ascending order of score, bona fide before spoof where they tie; all arrays are `[N]`."""

    scores: np.ndarray
    is_bonafide: np.ndarray
    order: np.ndarray  # the position of each ranked trial in the input

    @cached_property
    def tie_starts(self) -> np.ndarray:
        """The first rank of each distinct score."""
        return np.flatnonzero(np.concatenate(([True], self.scores[1:] != self.scores[:-1])))


def rank(scores: np.ndarray, is_bonafide: np.ndarray) -> RankedScores:
    """Sort trials, once for all metrics and resamples.

    Raises ValueError if a trial has no score, and as `finite_scores`.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != is_bonafide.shape:
        raise ValueError(f"scores have shape {scores.shape}, trials {is_bonafide.shape}; every trial needs one score")
    for key, of_key in (("bonafide", is_bonafide), ("spoof", ~is_bonafide)):
        finite_scores(scores[of_key], key)
    bonafide_first = np.concatenate((np.flatnonzero(is_bonafide), np.flatnonzero(~is_bonafide)))
    order = bonafide_first[np.argsort(scores[bonafide_first], kind="stable")]
    return RankedScores(scores[order], is_bonafide[order], order)


@dataclass(frozen=True)
class Tally:
    """How often each of N ranked trials counts in each of R samples; every sample needs both keys."""

    ranking: RankedScores
    counts: np.ndarray  # int64 [R, N], in ranked order

    @cached_property
    def rejected_bonafide(self) -> np.ndarray:
        """Bona fide trials among the first 0, 1, … N ranks, `[R, N + 1]`; `rejected_spoof` counts spoofs."""
        return _running_sum(np.where(self.ranking.is_bonafide, self.counts, 0))

    @cached_property
    def rejected_spoof(self) -> np.ndarray:
        return _running_sum(np.where(self.ranking.is_bonafide, 0, self.counts))

    @property
    def num_bonafide(self) -> np.ndarray:
        """`[R, 1]`, like `num_spoof`."""
        return self.rejected_bonafide[:, -1:]

    @property
    def num_spoof(self) -> np.ndarray:
        return self.rejected_spoof[:, -1:]

    @property
    def miss_rates(self) -> np.ndarray:
        """`[R, N + 1]`, like `false_alarm_rates`: the rates when the first 0, 1, … N ranks are rejected."""
        return self.rejected_bonafide / self.num_bonafide

    @property
    def false_alarm_rates(self) -> np.ndarray:
        return (self.num_spoof - self.rejected_spoof) / self.num_spoof


def full_sample(ranking: RankedScores) -> Tally:
    """The tally of one sample that counts every trial once."""
    return Tally(ranking, np.ones((1, len(ranking.scores)), dtype=np.int64))


Metric = Callable[[Tally], np.ndarray]  # one value a sample, [R]


def eers(tally: Tally) -> np.ndarray:
    """`metrics.eer` of every sample, `[R]`, as if each sample's trials (with repeats) were sorted."""
    misses, false_alarms = crossings(tally)
    return (misses / tally.num_bonafide[:, 0] + false_alarms / tally.num_spoof[:, 0]) / 2


def crossings(tally: Tally) -> tuple[np.ndarray, np.ndarray]:
    """Misses and false alarms of each sample at the threshold where its two error rates are nearest, `[R]` each."""
    num_bonafide, num_spoof = tally.num_bonafide, tally.num_spoof
    total = num_bonafide * num_spoof
    # (1 + miss rate − false-alarm rate) · total: an integer that grows with every trial, and is total where the rates
    # cross
    progress = tally.rejected_bonafide * num_spoof + tally.rejected_spoof * num_bonafide
    last = np.count_nonzero(progress < total, axis=1, keepdims=True) - 1  # at this rank, the rates cross
    is_bonafide = tally.ranking.is_bonafide[last]
    short = total - np.take_along_axis(progress, last, axis=1)
    copies = -(-short // np.where(is_bonafide, num_spoof, num_bonafide)) + [-1, 0]  # before and after crossing
    misses = np.take_along_axis(tally.rejected_bonafide, last, axis=1) + np.where(is_bonafide, copies, 0)
    rejections = np.take_along_axis(tally.rejected_spoof, last, axis=1) + np.where(is_bonafide, 0, copies)
    false_alarms = num_spoof - rejections
    gaps = np.abs(misses / num_bonafide - false_alarms / num_spoof)
    nearest = np.argmin(gaps, axis=1, keepdims=True)
    return np.take_along_axis(misses, nearest, axis=1)[:, 0], np.take_along_axis(false_alarms, nearest, axis=1)[:, 0]


def min_dcfs(tally: Tally, cost: DetectionCost = ASVSPOOF5) -> np.ndarray:
    """`metrics.min_dcf` of every sample, `[R]`."""
    return cost.normalized_cost(tally.miss_rates, tally.false_alarm_rates).min(axis=1)


def act_dcfs(tally: Tally, cost: DetectionCost = ASVSPOOF5) -> np.ndarray:
    """`metrics.act_dcf` of every sample, `[R]`."""
    threshold_rank = np.searchsorted(tally.ranking.scores, cost.bayes_threshold, side="right")
    num_spoof = tally.num_spoof[:, 0]
    miss = tally.rejected_bonafide[:, threshold_rank] / tally.num_bonafide[:, 0]
    false_alarm = (num_spoof - tally.rejected_spoof[:, threshold_rank]) / num_spoof
    return cost.normalized_cost(miss, false_alarm)


def cllrs(tally: Tally) -> np.ndarray:
    """`metrics.cllr` of every sample, `[R]`."""
    ranking = tally.ranking
    bits = np.logaddexp(0, np.where(ranking.is_bonafide, -ranking.scores, ranking.scores)) / math.log(2)
    bonafide = tally.counts @ np.where(ranking.is_bonafide, bits, 0) / tally.num_bonafide[:, 0]
    spoof = tally.counts @ np.where(ranking.is_bonafide, 0, bits) / tally.num_spoof[:, 0]
    return (bonafide + spoof) / 2


def min_cllrs(tally: Tally) -> np.ndarray:
    """`metrics.min_cllr` of every sample, `[R]`."""
    starts = np.append(tally.ranking.tie_starts, len(tally.ranking.scores))
    bonafide = np.diff(tally.rejected_bonafide[:, starts], axis=1) / tally.num_bonafide
    spoof = np.diff(tally.rejected_spoof[:, starts], axis=1) / tally.num_spoof
    return np.array([_least_bits(*shares) for shares in zip(bonafide, spoof, strict=True)])


def roc_aucs(tally: Tally) -> np.ndarray:
    """`metrics.roc_auc` of every sample, `[R]`."""
    starts = np.append(tally.ranking.tie_starts, len(tally.ranking.scores))
    below = tally.rejected_bonafide[:, starts]
    spoof = np.diff(tally.rejected_spoof[:, starts], axis=1)
    twice_above = 2 * tally.num_bonafide - below[:, :-1] - below[:, 1:]
    return np.sum(spoof * twice_above, axis=1) / (2 * tally.num_bonafide * tally.num_spoof)[:, 0]


def _least_bits(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """The lowest Cllr in bits, from the shares of bona fide trials and of spoofs at each distinct score, ascending."""
    from scipy import optimize, special

    occurs = bonafide + spoof > 0
    bonafide, spoof = bonafide[occurs], spoof[occurs]
    weight = bonafide + spoof
    posterior = optimize.isotonic_regression(bonafide / weight, weights=weight).x
    bits = special.xlogy(bonafide, posterior) + special.xlog1py(spoof, -posterior)
    return abs(float(np.sum(bits))) / (2 * math.log(2))  # no term is above 0; abs avoids −0


def _running_sum(counts: np.ndarray) -> np.ndarray:
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def finite_scores(scores: np.ndarray, key: str) -> np.ndarray:
    """Scores of one key as float64 `[N]`. Raises ValueError if there are no scores or one is not finite."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"{key} scores have shape {list(scores.shape)}; a list of at least one score is needed")
    if not np.isfinite(scores).all():
        first = int(np.argmin(np.isfinite(scores)))
        raise ValueError(f"{key} score number {first} is {scores[first]}; every score must be finite")
    return scores
