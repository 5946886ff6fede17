"""Measures of detection and speaker verification together, against a slow reading of their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from codecfake.statistics.tandem import (
    ASVSPOOF5_ASV,
    ASVSPOOF5_TRACK2,
    AsvErrorRates,
    TrialScores,
    a_dcf,
    asv_error_rates,
    min_t_dcf,
    t_eer,
)

SCORES = of_numpy.arrays(np.float64, st.integers(1, 12), elements=st.integers(-4, 4).map(float))
TRIALS = st.builds(TrialScores, SCORES, SCORES, SCORES)


def test_perfect_systems_have_no_cost() -> None:
    perfect = TrialScores(np.array([3.0, 4.0]), np.array([-1.0, 0.0]), np.array([-3.0]))
    assert a_dcf(perfect) == 0
    detector = TrialScores(np.array([3.0, 4.0]), np.array([3.0, 5.0]), np.array([-3.0]))
    assert min_t_dcf(detector, AsvErrorRates(0, 0, 1)) == 0
    assert t_eer(detector, perfect) == 0


@given(TRIALS)
def test_a_dcf_is_the_lowest_cost_over_all_scores_as_thresholds(scores: TrialScores) -> None:
    def cost(threshold: float) -> float:
        miss = np.mean(scores.target < threshold)
        nontarget, spoof = np.mean(scores.nontarget >= threshold), np.mean(scores.spoof >= threshold)
        return float(0.9405 * miss + 10 * 0.0095 * nontarget + 10 * 0.05 * spoof)

    thresholds = [*scores.target, *scores.nontarget, *scores.spoof]
    assert a_dcf(scores) == pytest.approx(min(map(cost, thresholds)) / 0.595)


@given(TRIALS)
def test_t_dcf_is_at_most_that_of_a_detector_without_information(scores: TrialScores) -> None:
    for asv in (ASVSPOOF5_ASV, ASVSPOOF5_ASV.with_spoof_miss_rate):
        assert 0 < min_t_dcf(scores, asv) <= 1 + 1e-12


def test_t_dcf_is_the_weighted_sum_of_errors_at_the_best_threshold() -> None:
    """At the threshold between 1 and 2, the detector misses 1 of 4 bona fide trials and accepts no spoof."""
    detector = TrialScores(np.array([1.0, 3.0]), np.array([2.5, 4.0]), np.array([0.0, 0.5]))
    detector = TrialScores(np.array([0.2, 3.0]), detector.nontarget, detector.spoof)
    asv = AsvErrorRates(miss=0.1, nontarget_false_acceptance=0.2, spoof_false_acceptance=0.9)
    alone = 0.9405 * 0.1 + 0.095 * 0.2
    best = min(alone + (0.9405 - alone) / 4, alone + 0.45 / 2, alone + 0.45)
    assert min_t_dcf(detector, asv) == pytest.approx(best / (alone + 0.45))


def test_rates_of_asv_accept_a_score_at_the_threshold() -> None:
    asv = TrialScores(np.array([1.0, 2.0, 3.0, 4.0]), np.array([-1.0, 0.0, 1.5, 1.6]), np.array([0.0, 1.5, 9.0]))
    error_rates = asv_error_rates(asv)
    assert error_rates.miss == 0.25
    assert error_rates.nontarget_false_acceptance == 0.5
    assert error_rates.spoof_false_acceptance == pytest.approx(2 / 3)
    assert error_rates.with_spoof_miss_rate.spoof_false_acceptance == pytest.approx(1 / 3)


@given(TRIALS, TRIALS)
def test_t_eer_is_that_of_a_search_of_all_pairs_of_thresholds(detector: TrialScores, asv: TrialScores) -> None:
    expected = slow_t_eer(detector, asv)
    assert t_eer(detector, asv) == pytest.approx(expected, nan_ok=True)


def slow_t_eer(detector: TrialScores, asv: TrialScores) -> float:
    bonafide = [(score, 0) for score in detector.bonafide]
    ranked = sorted(bonafide + [(score, 1) for score in detector.spoof])
    points = [(0.0, 1.0)]
    for rank in range(1, len(ranked) + 1):
        spoofs = sum(is_spoof for _, is_spoof in ranked[:rank])
        points.append(((rank - spoofs) / len(bonafide), 1 - spoofs / len(detector.spoof)))
    best, result = np.inf, np.nan
    for threshold in [-np.inf, *sorted([*asv.target, *asv.nontarget, *asv.spoof])]:
        miss = np.mean(asv.target < threshold)
        nontarget, spoof = np.mean(asv.nontarget >= threshold), np.mean(asv.spoof >= threshold)
        if miss >= (nontarget + spoof) / 2:
            continue
        tandem = [(m + (1 - m) * miss, (1 - m) * nontarget, f * spoof) for m, f in points]
        gaps = [round(abs(m - (n + s) / 2), 12) for m, n, s in tandem]
        _, n, s = tandem[gaps.index(min(gaps))]
        if abs(n - s) < best - 1e-12:
            best, result = abs(n - s), s
    return float(result)


def test_a_kind_without_trials_is_an_error() -> None:
    with pytest.raises(ValueError, match="nontarget scores have shape \\[0\\]"):
        TrialScores(np.ones(2), np.ones(0), np.ones(3))


def test_the_priors_of_track_2_add_up() -> None:
    cost = ASVSPOOF5_TRACK2
    assert cost.target_prior + cost.nontarget_prior + cost.spoof_prior == pytest.approx(1)
