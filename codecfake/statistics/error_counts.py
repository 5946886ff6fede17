"""How scores fare in many samples of their trials at a time: each trial counted as often as a sample holds it.

Scores are sorted once (`rank`). A `Tally` says how often each ranked trial counts in each sample: once for the trials
as they are, as often as it was drawn for a bootstrap. Each metric here answers for every sample of a tally, so an
estimate (`codecfake.statistics.metrics`) and its interval (`codecfake.statistics.intervals`) come from the same lines.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class DetectionCost:
    """What errors cost. The defaults are those of ASVspoof 5, track 1 (Wang et al. 2024, arXiv 2408.08739)."""

    spoof_prior: float = 0.05  # share of spoofs where the detector is used
    miss_cost: float = 1.0  # of rejecting a bona fide trial
    false_alarm_cost: float = 10.0  # of accepting a spoof

    def __post_init__(self) -> None:
        if not 0 < self.spoof_prior < 1:
            raise ValueError(f"spoof_prior is {self.spoof_prior}; it must be between 0 and 1")
        if not (0 < self.miss_cost < math.inf and 0 < self.false_alarm_cost < math.inf):
            raise ValueError(f"costs are {self.miss_cost} and {self.false_alarm_cost}; both must be above 0 and finite")

    def of(self, miss_rate: np.ndarray, false_alarm_rate: np.ndarray) -> np.ndarray:
        """The expected cost, over that of the better of accepting all and rejecting all."""
        miss = self.miss_cost * (1 - self.spoof_prior)
        false_alarm = self.false_alarm_cost * self.spoof_prior
        return (miss * miss_rate + false_alarm * false_alarm_rate) / min(miss, false_alarm)

    @property
    def bayes_threshold(self) -> float:
        """The log-likelihood ratio above which accepting is cheaper."""
        return math.log(self.false_alarm_cost * self.spoof_prior) - math.log(self.miss_cost * (1 - self.spoof_prior))


ASVSPOOF5 = DetectionCost()


@dataclass(frozen=True)
class RankedScores:
    """Trials in ascending order of score, bona fide before spoof where they tie; all arrays are `[N]`."""

    scores: np.ndarray
    is_bonafide: np.ndarray
    order: np.ndarray  # the place of each among the trials as they were given

    @cached_property
    def tie_starts(self) -> np.ndarray:
        """The rank at which each distinct score begins."""
        return np.flatnonzero(np.concatenate(([True], self.scores[1:] != self.scores[:-1])))


def rank(scores: np.ndarray, is_bonafide: np.ndarray) -> RankedScores:
    """Sort trials, once for all metrics and resamples.

    Raises ValueError if not every trial has a score, and as `checked`.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != is_bonafide.shape:
        raise ValueError(f"scores have shape {scores.shape}, trials {is_bonafide.shape}; every trial needs one score")
    for key, of_key in (("bonafide", is_bonafide), ("spoof", ~is_bonafide)):
        checked(scores[of_key], key)
    bonafide_first = np.concatenate((np.flatnonzero(is_bonafide), np.flatnonzero(~is_bonafide)))
    order = bonafide_first[np.argsort(scores[bonafide_first], kind="stable")]
    return RankedScores(scores[order], is_bonafide[order], order)


@dataclass(frozen=True)
class Tally:
    """How often each of N ranked trials counts in each of R samples; every sample needs both keys."""

    ranked: RankedScores
    counts: np.ndarray  # int64 [R, N], in ranked order

    @cached_property
    def rejected_bonafide(self) -> np.ndarray:
        """Bona fide trials among the first 0, 1, … N ranks, `[R, N + 1]`; `rejected_spoof` is alike."""
        return _running_sum(np.where(self.ranked.is_bonafide, self.counts, 0))

    @cached_property
    def rejected_spoof(self) -> np.ndarray:
        return _running_sum(np.where(self.ranked.is_bonafide, 0, self.counts))

    @property
    def num_bonafide(self) -> np.ndarray:
        """`[R, 1]`, as `num_spoof`."""
        return self.rejected_bonafide[:, -1:]

    @property
    def num_spoof(self) -> np.ndarray:
        return self.rejected_spoof[:, -1:]

    @property
    def miss_rates(self) -> np.ndarray:
        """`[R, N + 1]`, as `false_alarm_rates`: when the first 0, 1, … N ranks are rejected."""
        return self.rejected_bonafide / self.num_bonafide

    @property
    def false_alarm_rates(self) -> np.ndarray:
        return (self.num_spoof - self.rejected_spoof) / self.num_spoof


def once(ranked: RankedScores) -> Tally:
    """Every trial counted once, in one sample."""
    return Tally(ranked, np.ones((1, len(ranked.scores)), dtype=np.int64))


Metric = Callable[[Tally], np.ndarray]  # one value a sample, [R]


def eers(tally: Tally) -> np.ndarray:
    """`metrics.eer` of every sample, `[R]`: equal to sorting each sample's trials, with repeats."""
    missed, accepted = crossings(tally)
    return (missed / tally.num_bonafide[:, 0] + accepted / tally.num_spoof[:, 0]) / 2


def crossings(tally: Tally) -> tuple[np.ndarray, np.ndarray]:
    """Bona fide trials missed and spoofs accepted where the two rates of each sample are nearest, `[R]` each."""
    num_bonafide, num_spoof = tally.num_bonafide, tally.num_spoof
    total = num_bonafide * num_spoof
    # (1 + miss − false alarm) · total, an integer that every further trial raises: the rates cross where it is total
    progress = tally.rejected_bonafide * num_spoof + tally.rejected_spoof * num_bonafide
    last = np.count_nonzero(progress < total, axis=1, keepdims=True) - 1  # this rank's trial carries a sample over
    is_bonafide = tally.ranked.is_bonafide[last]
    short = total - np.take_along_axis(progress, last, axis=1)
    copies = -(-short // np.where(is_bonafide, num_spoof, num_bonafide)) + [-1, 0]  # before and after crossing
    missed = np.take_along_axis(tally.rejected_bonafide, last, axis=1) + np.where(is_bonafide, copies, 0)
    rejected = np.take_along_axis(tally.rejected_spoof, last, axis=1) + np.where(is_bonafide, 0, copies)
    accepted = num_spoof - rejected
    gaps = np.abs(missed / num_bonafide - accepted / num_spoof)
    nearest = np.argmin(gaps, axis=1, keepdims=True)
    return np.take_along_axis(missed, nearest, axis=1)[:, 0], np.take_along_axis(accepted, nearest, axis=1)[:, 0]


def min_dcfs(tally: Tally, cost: DetectionCost = ASVSPOOF5) -> np.ndarray:
    """`metrics.min_dcf` of every sample, `[R]`."""
    return cost.of(tally.miss_rates, tally.false_alarm_rates).min(axis=1)


def act_dcfs(tally: Tally, cost: DetectionCost = ASVSPOOF5) -> np.ndarray:
    """`metrics.act_dcf` of every sample, `[R]`."""
    rejected = np.searchsorted(tally.ranked.scores, cost.bayes_threshold, side="right")
    num_spoof = tally.num_spoof[:, 0]
    miss = tally.rejected_bonafide[:, rejected] / tally.num_bonafide[:, 0]
    false_alarm = (num_spoof - tally.rejected_spoof[:, rejected]) / num_spoof
    return cost.of(miss, false_alarm)


def cllrs(tally: Tally) -> np.ndarray:
    """`metrics.cllr` of every sample, `[R]`."""
    ranked = tally.ranked
    bits = np.logaddexp(0, np.where(ranked.is_bonafide, -ranked.scores, ranked.scores)) / math.log(2)
    bonafide = tally.counts @ np.where(ranked.is_bonafide, bits, 0) / tally.num_bonafide[:, 0]
    spoof = tally.counts @ np.where(ranked.is_bonafide, 0, bits) / tally.num_spoof[:, 0]
    return (bonafide + spoof) / 2


def min_cllrs(tally: Tally) -> np.ndarray:
    """`metrics.min_cllr` of every sample, `[R]`."""
    starts = np.append(tally.ranked.tie_starts, len(tally.ranked.scores))
    bonafide = np.diff(tally.rejected_bonafide[:, starts], axis=1) / tally.num_bonafide
    spoof = np.diff(tally.rejected_spoof[:, starts], axis=1) / tally.num_spoof
    return np.array([_least_bits(*shares) for shares in zip(bonafide, spoof, strict=True)])


def roc_aucs(tally: Tally) -> np.ndarray:
    """`metrics.roc_auc` of every sample, `[R]`."""
    starts = np.append(tally.ranked.tie_starts, len(tally.ranked.scores))
    below = tally.rejected_bonafide[:, starts]
    spoof = np.diff(tally.rejected_spoof[:, starts], axis=1)
    twice_above = 2 * tally.num_bonafide - below[:, :-1] - below[:, 1:]
    return np.sum(spoof * twice_above, axis=1) / (2 * tally.num_bonafide * tally.num_spoof)[:, 0]


def _least_bits(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """Least Cllr in bits from the shares of the bona fide and of the spoof trials at each distinct score, ascending."""
    from scipy import optimize, special

    drawn = bonafide + spoof > 0
    bonafide, spoof = bonafide[drawn], spoof[drawn]
    weight = bonafide + spoof
    posterior = optimize.isotonic_regression(bonafide / weight, weights=weight).x
    bits = special.xlogy(bonafide, posterior) + special.xlog1py(spoof, -posterior)
    return abs(float(np.sum(bits))) / (2 * math.log(2))  # no term is above 0; abs, so that 0 has no sign


def _running_sum(counts: np.ndarray) -> np.ndarray:
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def checked(scores: np.ndarray, key: str) -> np.ndarray:
    """Scores of one key as float64 `[N]`. Raises ValueError if there is none or one is not finite."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"{key} scores have shape {list(scores.shape)}; a list of at least one score is needed")
    if not np.isfinite(scores).all():
        first = int(np.argmin(np.isfinite(scores)))
        raise ValueError(f"{key} score number {first} is {scores[first]}; every score must be finite")
    return scores
