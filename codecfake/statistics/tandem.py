"""Measures of spoofing detection together with speaker verification (ASV), as in ASVspoof 5, track 2.

A trial compares a recording with a speaker. It is a target trial (that speaker), a nontarget trial (another speaker) or
a spoof. Higher scores mean bona fide for the detector, and the same speaker for ASV. Costs and priors are those of Wang
et al. 2024 (arXiv 2408.08739).
"""

from dataclasses import dataclass

import numpy as np

from codecfake.statistics import metrics
from codecfake.statistics.error_counts import finite_scores


@dataclass(frozen=True)
class TandemCost:
    """The costs of errors and the shares of trials; the defaults are those of ASVspoof 5, track 2."""

    target_prior: float = 0.9405
    nontarget_prior: float = 0.0095
    spoof_prior: float = 0.05
    miss_cost: float = 1.0
    nontarget_cost: float = 10.0  # of accepting a nontarget trial
    spoof_cost: float = 10.0  # of accepting a spoof

    @property
    def miss(self) -> float:
        """Weight of the miss rate, like `nontarget` and `spoof` of false-acceptance rates."""
        return self.miss_cost * self.target_prior

    @property
    def nontarget(self) -> float:
        return self.nontarget_cost * self.nontarget_prior

    @property
    def spoof(self) -> float:
        return self.spoof_cost * self.spoof_prior


@dataclass(frozen=True)
class TrialScores:
    """Scores of one system by kind of trial, float64 `[N]` each."""

    target: np.ndarray
    nontarget: np.ndarray
    spoof: np.ndarray

    def __post_init__(self) -> None:
        """Raises ValueError if a kind has no trials, or a score is not finite."""
        for kind in ("target", "nontarget", "spoof"):
            object.__setattr__(self, kind, finite_scores(getattr(self, kind), kind))

    @property
    def bonafide(self) -> np.ndarray:
        return np.concatenate((self.target, self.nontarget))


@dataclass(frozen=True)
class AsvErrorRates:
    """The error rates of ASV at one threshold, in [0, 1]."""

    miss: float
    nontarget_false_acceptance: float
    spoof_false_acceptance: float

    @property
    def with_spoof_miss_rate(self) -> "AsvErrorRates":
        """The same with the spoof miss rate in place of the spoof false-acceptance rate.

        The package of ASVspoof 5 (fe23d30) makes this slip where it is given ASV scores, so its t-DCF is another.
        """
        return AsvErrorRates(self.miss, self.nontarget_false_acceptance, 1 - self.spoof_false_acceptance)


ASVSPOOF5_TRACK2 = TandemCost()
ASVSPOOF5_ASV = AsvErrorRates(0.01880141010575793, 0.01881016557566423, 0.4607082907604729)  # of the organizers' ASV


def asv_error_rates(asv: TrialScores) -> AsvErrorRates:
    """At the threshold of the EER between target and nontarget trials; a score that equals it is accepted."""
    threshold = metrics.eer(asv.target, asv.nontarget).threshold
    return AsvErrorRates(
        float(np.mean(asv.target < threshold)),
        float(np.mean(asv.nontarget >= threshold)),
        float(np.mean(asv.spoof >= threshold)),
    )


def a_dcf(sasv: TrialScores, cost: TandemCost = ASVSPOOF5_TRACK2) -> float:
    """The lowest normalized cost of a system with one score for both tasks (Shim et al. 2024, arXiv 2403.01355).

    Thresholds are the scores themselves; the cost of accepting all or rejecting all, whichever is lower, is 1.
    """
    thresholds = np.sort(np.concatenate((sasv.bonafide, sasv.spoof)))
    miss, nontarget, spoof = _rates_at(sasv, thresholds)
    costs = cost.miss * miss + cost.nontarget * nontarget + cost.spoof * spoof
    return float(costs.min() / min(cost.miss, cost.nontarget + cost.spoof))


def min_t_dcf(detector: TrialScores, asv: AsvErrorRates = ASVSPOOF5_ASV, cost: TandemCost = ASVSPOOF5_TRACK2) -> float:
    """The lowest normalized cost of a detector followed by ASV with fixed error rates.

    The constrained t-DCF of Kinnunen et al. 2020 (arXiv 2007.05979), normalized by a detector without information.
    """
    curve = metrics.det_curve(detector.bonafide, detector.spoof)
    asv_alone = cost.miss * asv.miss + cost.nontarget * asv.nontarget_false_acceptance
    misses, spoofs = cost.miss - asv_alone, cost.spoof * asv.spoof_false_acceptance
    costs = asv_alone + misses * curve.miss_rate + spoofs * curve.false_alarm_rate
    return float(costs.min() / (asv_alone + min(misses, spoofs)))


def t_eer(detector: TrialScores, asv: TrialScores) -> float:
    """The concurrent tandem EER, in [0, 1] (Kinnunen et al. 2023, arXiv 2309.12237); NaN without such thresholds.

    It is the error rate at the two thresholds where misses, false acceptances of nontarget trials and of spoofs agree.
    For each ASV threshold, the detector's is the one where misses and the mean of both false acceptances are nearest.
    Of these pairs, the one where both false acceptances are nearest counts, and the result is that of spoofs, as in the
    package of ASVspoof 5. ASV thresholds with more misses than false acceptances are left out: a stricter detector
    cannot balance them.
    """
    curve = metrics.det_curve(detector.bonafide, detector.spoof)
    thresholds = np.sort(np.concatenate((asv.bonafide, asv.spoof)))
    miss, nontarget, spoof = _rates_at(asv, np.concatenate(([-np.inf], thresholds)))
    balanced = miss < (nontarget + spoof) / 2
    if not balanced.any():
        return float("nan")
    tandem = _Tandem(curve, miss[balanced], nontarget[balanced], spoof[balanced])
    _, of_nontarget, of_spoof = tandem.rates_at(tandem.balance())
    return float(of_spoof[np.argmin(np.abs(of_nontarget - of_spoof))])


@dataclass(frozen=True)
class _Tandem:
    """A detector's curve `[N + 1]`, and the error rates of ASV at its thresholds, `[A]` each."""

    curve: metrics.DetCurve
    miss: np.ndarray
    nontarget: np.ndarray
    spoof: np.ndarray

    def rates_at(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Misses and false acceptances of nontarget trials and spoofs with the detector's thresholds at `places`."""
        detector_miss, false_alarm = self.curve.miss_rate[places], self.curve.false_alarm_rate[places]
        passed = 1 - detector_miss
        return detector_miss + passed * self.miss, passed * self.nontarget, false_alarm * self.spoof

    def balance(self) -> np.ndarray:
        """For each ASV threshold the place, `[A]`, where misses are nearest to the mean of false acceptances.

        Misses grow with the threshold and false acceptances fall, so bisection finds the place.
        """
        low = np.zeros(len(self.miss), dtype=np.int64)
        high = np.full(len(self.miss), len(self.curve.miss_rate) - 1)
        for _ in range(len(self.curve.miss_rate).bit_length()):
            middle = (low + high) // 2
            below = self._excess(middle) < 0
            low, high = np.where(below & (low < high), middle + 1, low), np.where(below, high, middle)
        before = np.maximum(low - 1, 0)
        return np.where(np.abs(self._excess(before)) <= np.abs(self._excess(low)), before, low)

    def _excess(self, places: np.ndarray) -> np.ndarray:
        miss, nontarget, spoof = self.rates_at(places)
        return miss - (nontarget + spoof) / 2


def _rates_at(scores: TrialScores, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Misses and false acceptances of nontarget trials and spoofs; a score that equals a threshold is accepted."""
    below = (
        np.searchsorted(np.sort(kind), thresholds, side="left") / len(kind)
        for kind in (scores.target, scores.nontarget, scores.spoof)
    )
    miss, nontarget, spoof = below
    return miss, 1 - nontarget, 1 - spoof
