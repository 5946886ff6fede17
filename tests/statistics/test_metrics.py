"""Error rates, costs and information of scores, held to their laws and to second computations."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics
from sklearn.isotonic import IsotonicRegression

from codecfake.statistics import error_counts
from codecfake.statistics.error_counts import Tally, rank
from codecfake.statistics.metrics import (
    Confusion,
    DetectionCost,
    act_dcf,
    cllr,
    confusion,
    det_curve,
    eer,
    measures,
    min_cllr,
    min_dcf,
    roc_auc,
)

METRICS = (eer, min_dcf, act_dcf, cllr, min_cllr, roc_auc)
PLURALS = (
    error_counts.eers,
    error_counts.min_dcfs,
    error_counts.act_dcfs,
    error_counts.cllrs,
    error_counts.min_cllrs,
    error_counts.roc_aucs,
)
DEGENERATE = [
    ([0.0], [0.0]),
    ([1.0], [0.0]),
    ([0.0], [1.0]),
    ([0.0], [-1.0, 0.0, 1.0]),
    ([-1.0, 0.0, 0.0, 1.0], [0.0]),
    ([2.0] * 5, [2.0] * 3),
    ([1.0, 2.0], [-3.0, 0.0]),
    ([-3.0, 0.0], [1.0, 2.0]),
]


def slow_eer(bonafide: list[float], spoof: list[float]) -> float:
    """The definition, one trial at a time: reject in order of score, bona fide first, and keep the nearest pair."""
    ascending = sorted([(score, 0) for score in bonafide] + [(score, 1) for score in spoof])
    misses, false_alarms = 0, len(spoof)
    best_gap, rate = 1.0, 0.5
    for _, is_spoof in ascending:
        misses, false_alarms = misses + 1 - is_spoof, false_alarms - is_spoof
        gap = abs(misses / len(bonafide) - false_alarms / len(spoof))
        if gap < best_gap:
            best_gap, rate = gap, (misses / len(bonafide) + false_alarms / len(spoof)) / 2
    return rate


def value(result: object) -> float:
    return getattr(result, "eer", result)  # type: ignore[return-value]


def tied_scores(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Few whole-numbered scores with many ties, within and between keys."""
    rng = np.random.default_rng(seed)
    num_bonafide, num_spoof = rng.integers(1, 12, 2)
    return rng.integers(-1, 5, num_bonafide).astype(float), rng.integers(-4, 3, num_spoof).astype(float)


@pytest.fixture
def scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping bona fide and spoof scores without ties."""
    return rng.normal(1.0, 1.0, 300), rng.normal(-1.0, 1.5, 700)


def test_eer_of_separated_scores_is_zero() -> None:
    assert eer(np.array([1.0, 2.0]), np.array([-3.0, 0.0])).eer == 0.0


def test_eer_of_scores_the_wrong_way_round_is_one() -> None:
    assert eer(np.array([-3.0, 0.0]), np.array([1.0, 2.0])).eer == 1.0


def test_eer_by_hand() -> None:
    # In ascending order: s s b s b b. Rejecting up to the first b misses 1 of 3 and accepts 1 of 3.
    result = eer(bonafide=np.array([0.3, 0.5, 0.6]), spoof=np.array([0.1, 0.2, 0.4]))
    assert result.eer == pytest.approx(1 / 3)
    assert result.threshold == 0.3


def test_eer_is_the_mean_where_the_rates_never_meet() -> None:
    # b s s: rejecting nothing gives (0, 1), the b (1, 1), the b and an s (1, 1/2), all (1, 0).
    # The nearest pair is (1, 1): the first of the smallest gaps.
    assert eer(np.array([0.0]), np.array([1.0, 2.0])).eer == 1.0
    # s b s s: (0, 1) (0, 2/3) (1, 2/3) ...: nearest is (1, 2/3), its mean 5/6.
    assert eer(np.array([1.0]), np.array([0.0, 2.0, 3.0])).eer == pytest.approx(5 / 6)


def test_a_tie_counts_against_the_detector_as_in_the_evaluation_package() -> None:
    # b is rejected before the s of the same score: (0, 1) (1, 1) (1, 0). Both gaps of 0 are at (1, 1).
    assert eer(np.array([0.0]), np.array([0.0])).eer == 1.0


def test_eer_of_one_trial_each() -> None:
    assert eer(np.array([1.0]), np.array([0.0])).eer == 0.0
    assert eer(np.array([0.0]), np.array([1.0])).eer == 1.0


@pytest.mark.parametrize("increasing", [np.exp, np.arctan, lambda x: 3 * x - 7, lambda x: x**3])
def test_eer_is_unchanged_by_any_increasing_map_of_the_scores(scores, increasing) -> None:
    bonafide, spoof = scores
    assert eer(increasing(bonafide), increasing(spoof)).eer == eer(bonafide, spoof).eer


def test_eer_is_unchanged_when_classes_and_signs_are_swapped(scores) -> None:
    bonafide, spoof = scores
    assert eer(-spoof, -bonafide).eer == pytest.approx(eer(bonafide, spoof).eer, abs=1 / 300)


def test_turning_the_scores_round_turns_the_eer_round(scores) -> None:
    bonafide, spoof = scores
    assert eer(-bonafide, -spoof).eer == pytest.approx(1 - eer(bonafide, spoof).eer, abs=1 / 300)


def test_det_curve_agrees_with_scikit_learn(scores) -> None:
    from sklearn.metrics import roc_curve

    bonafide, spoof = scores
    curve = det_curve(bonafide, spoof)
    labels = np.r_[np.ones(300), np.zeros(700)]
    false_alarms, hits, _ = roc_curve(labels, np.r_[bonafide, spoof], drop_intermediate=False)
    np.testing.assert_allclose(curve.false_alarm_rate, false_alarms[::-1], atol=1e-12)
    np.testing.assert_allclose(curve.miss_rate, 1 - hits[::-1], atol=1e-12)


def test_every_point_of_the_det_curve_is_what_its_threshold_gives(scores) -> None:
    bonafide, spoof = scores
    curve = det_curve(bonafide, spoof)
    for index in (0, 1, 500, 1000):
        counts = confusion(bonafide, spoof, curve.thresholds[index])
        assert curve.miss_rate[index] == counts.bonafide_rejected / 300
        assert curve.false_alarm_rate[index] == counts.spoof_accepted / 700


def test_confusion_counts_by_hand() -> None:
    counts = confusion(bonafide=np.array([1.0, 0.0, -1.0]), spoof=np.array([2.0, -2.0]), threshold=0.0)
    assert counts == Confusion(bonafide_accepted=1, bonafide_rejected=2, spoof_accepted=1, spoof_rejected=1)


@pytest.mark.parametrize(
    ("bonafide", "spoof", "message"),
    [
        ([], [0.0], r"bonafide scores have shape \[0\]"),
        ([0.0], [], r"spoof scores have shape \[0\]"),
        ([0.0, np.nan], [1.0], "bonafide score number 1 is nan"),
        ([0.0], [np.inf], "spoof score number 0 is inf"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused(bonafide, spoof, message) -> None:
    for measure in (eer, det_curve):
        with pytest.raises(ValueError, match=message):
            measure(np.array(bonafide), np.array(spoof))


def test_eer_is_that_of_the_definition_followed_trial_by_trial(scores) -> None:
    for bonafide, spoof in [scores, *DEGENERATE, *map(tied_scores, range(300))]:
        assert eer(np.array(bonafide), np.array(spoof)).eer == pytest.approx(slow_eer(bonafide, spoof), abs=1e-12)


@pytest.mark.parametrize("metric", [min_dcf, min_cllr, roc_auc])
def test_metrics_of_order_are_unchanged_by_any_increasing_map(scores, metric) -> None:
    bonafide, spoof = scores
    for increasing in (np.exp, np.arctan, lambda x: 3 * x - 7):
        assert metric(increasing(bonafide), increasing(spoof)) == metric(bonafide, spoof)


def test_each_metric_is_the_same_alone_and_among_all(scores) -> None:
    together = measures(*scores)
    for metric in METRICS:
        assert getattr(together, metric.__name__) == value(metric(*scores))


def test_min_dcf_is_the_lowest_cost_of_any_threshold() -> None:
    cost = DetectionCost(spoof_prior=0.3, miss_cost=2, false_alarm_cost=5)
    for bonafide, spoof in [*DEGENERATE, *map(tied_scores, range(50))]:
        bonafide, spoof = np.array(bonafide), np.array(spoof)
        costs = []
        for threshold in (-math.inf, *bonafide, *spoof):
            miss, false_alarm = np.mean(bonafide <= threshold), np.mean(spoof > threshold)
            costs.append((2 * 0.7 * miss + 5 * 0.3 * false_alarm) / (2 * 0.7))
        assert min_dcf(bonafide, spoof, cost) == pytest.approx(min(costs), abs=1e-12)


def test_min_dcf_agrees_with_the_curve_of_scikit_learn(scores) -> None:
    bonafide, spoof = scores
    labels = np.r_[np.ones(300), np.zeros(700)]
    false_alarm, miss, _ = sklearn_metrics.det_curve(labels, np.r_[bonafide, spoof])
    # ASVspoof 5: a miss costs 1 at a prior of 0.95, a false alarm 10 at 0.05
    assert min_dcf(bonafide, spoof) == pytest.approx(np.min(0.95 / 0.5 * miss + false_alarm), abs=1e-12)


def test_act_dcf_by_hand() -> None:
    # threshold: log((10 · 0.05) / (1 · 0.95)) = −0.642. One of four bona fide trials missed, one of two spoofs accepted
    cost = act_dcf(bonafide=np.array([-0.65, -0.63, 0.0, 2.0]), spoof=np.array([-1.0, -0.6]))
    assert cost == pytest.approx((0.95 * 0.25 + 0.5 * 0.5) / 0.5)


def test_a_score_at_the_bayes_threshold_is_rejected_as_confusion_counts_it() -> None:
    even = DetectionCost(spoof_prior=0.5, miss_cost=1, false_alarm_cost=1)
    assert even.bayes_threshold == 0
    for bonafide, spoof in map(tied_scores, range(50)):
        counts = confusion(bonafide, spoof, threshold=0.0)
        expected = counts.bonafide_rejected / len(bonafide) + counts.spoof_accepted / len(spoof)
        assert act_dcf(bonafide, spoof, even) == pytest.approx(expected)


def test_act_dcf_is_never_below_min_dcf() -> None:
    for bonafide, spoof in [*DEGENERATE, *map(tied_scores, range(300))]:
        assert min_dcf(np.array(bonafide), np.array(spoof)) <= act_dcf(np.array(bonafide), np.array(spoof))


def test_cost_of_accepting_or_rejecting_all_is_one_for_the_cheaper() -> None:
    separated = np.array([1.0, 2.0]), np.array([-2.0, -1.0])
    accepts_all, rejects_all = (tuple(side + shift for side in separated) for shift in (100, -100))
    assert act_dcf(*accepts_all) == pytest.approx(1.0)  # 10 · 0.05
    assert act_dcf(*rejects_all) == pytest.approx(1.9)  # 1 · 0.95
    assert min_dcf(np.zeros(3), np.zeros(4)) == 1.0


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        ({"spoof_prior": 0.0}, "spoof_prior is 0.0; it must be between 0 and 1"),
        ({"spoof_prior": 1.0}, "spoof_prior is 1.0"),
        ({"miss_cost": 0.0}, "both must be above 0 and finite"),
        ({"false_alarm_cost": math.inf}, "costs are 1.0 and inf"),
    ],
)
def test_costs_that_cannot_be_normalized_are_refused(cost, message) -> None:
    with pytest.raises(ValueError, match=message):
        DetectionCost(**cost)


def test_cllr_agrees_with_its_formula_and_with_the_log_loss_of_scikit_learn(scores) -> None:
    bonafide, spoof = scores
    bits = [sum(math.log2(1 + math.exp(-score)) for score in bonafide) / 300]
    bits += [sum(math.log2(1 + math.exp(score)) for score in spoof) / 700]
    assert cllr(bonafide, spoof) == pytest.approx(sum(bits) / 2, abs=1e-12)
    labels, weights = np.r_[np.ones(300), np.zeros(700)], np.r_[np.full(300, 1 / 300), np.full(700, 1 / 700)]
    probabilities = 1 / (1 + np.exp(-np.r_[bonafide, spoof]))
    loss = sklearn_metrics.log_loss(labels, probabilities, sample_weight=weights)
    assert cllr(bonafide, spoof) == pytest.approx(loss / math.log(2), abs=1e-12)


def test_cllr_of_scores_that_say_nothing_is_one_bit() -> None:
    assert cllr(np.zeros(2), np.zeros(5)) == 1.0
    assert min_cllr(np.full(2, 7.0), np.full(5, 7.0)) == 1.0


def test_cllr_of_enormous_scores_is_finite() -> None:
    assert cllr(np.array([-1e6]), np.array([0.0])) == pytest.approx((1e6 / math.log(2) + 1) / 2)


def test_min_cllr_agrees_with_the_isotonic_regression_of_scikit_learn(scores) -> None:
    for bonafide, spoof in [scores, *map(tied_scores, range(50))]:
        labels = np.r_[np.ones(len(bonafide)), np.zeros(len(spoof))]
        weights = np.r_[np.full(len(bonafide), 1 / len(bonafide)), np.full(len(spoof), 1 / len(spoof))]
        pooled = np.r_[bonafide, spoof]
        posterior = IsotonicRegression().fit(pooled, labels, weights).predict(pooled)
        right = np.where(labels == 1, posterior, 1 - posterior)
        assert min_cllr(bonafide, spoof) == pytest.approx(-np.sum(weights * np.log2(right)) / 2, abs=1e-9)


def test_min_cllr_is_the_least_of_all_ways_to_pool_neighboring_scores() -> None:
    for bonafide, spoof in [*DEGENERATE, *map(tied_scores, range(30))]:
        values = np.unique(np.r_[bonafide, spoof])
        shares = [[np.mean(np.array(key) == value) for value in values] for key in (bonafide, spoof)]
        best = math.inf
        for cuts in itertools.product([False, True], repeat=len(values) - 1):
            block = np.cumsum([0, *cuts])
            b, s = (np.bincount(block, share) for share in shares)
            if np.all(np.diff(b / (b + s)) >= 0):
                bits = sum(
                    -x * math.log2(x / (x + y)) for x, y in [*zip(b, s, strict=True), *zip(s, b, strict=True)] if x > 0
                )
                best = min(best, bits / 2)
        assert min_cllr(np.array(bonafide), np.array(spoof)) == pytest.approx(best, abs=1e-12)


def test_min_cllr_is_never_above_cllr() -> None:
    for bonafide, spoof in [*DEGENERATE, *map(tied_scores, range(300))]:
        assert min_cllr(np.array(bonafide), np.array(spoof)) <= cllr(np.array(bonafide), np.array(spoof)) + 1e-12


def test_roc_auc_agrees_with_scikit_learn_and_with_the_u_statistic(scores) -> None:
    for bonafide, spoof in [scores, *DEGENERATE, *map(tied_scores, range(100))]:
        labels = np.r_[np.ones(len(bonafide)), np.zeros(len(spoof))]
        area = roc_auc(np.array(bonafide), np.array(spoof))
        assert area == pytest.approx(sklearn_metrics.roc_auc_score(labels, np.r_[bonafide, spoof]), abs=1e-12)
        u = stats.mannwhitneyu(bonafide, spoof, method="asymptotic").statistic
        assert area == pytest.approx(u / (len(bonafide) * len(spoof)), abs=1e-12)


def test_roc_auc_of_negated_scores_is_the_rest() -> None:
    for bonafide, spoof in [*DEGENERATE, *map(tied_scores, range(100))]:
        area, turned = roc_auc(np.array(bonafide), np.array(spoof)), roc_auc(-np.array(bonafide), -np.array(spoof))
        assert turned == pytest.approx(1 - area, abs=1e-12)


def test_no_metric_turns_a_detector_round() -> None:
    wrong_way = np.array([-3.0, -2.0]), np.array([2.0, 3.0])
    values = measures(*wrong_way)
    assert (values.eer, values.roc_auc, values.min_dcf, values.min_cllr) == (1.0, 0.0, 1.0, 1.0)
    assert values.cllr > 1
    assert values.act_dcf == pytest.approx(1.9 + 1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_refuses_scores_that_cannot_be_ranked(metric) -> None:
    with pytest.raises(ValueError, match=r"spoof scores have shape \[0\]"):
        metric(np.array([0.0]), np.array([]))
    with pytest.raises(ValueError, match="bonafide score number 1 is nan"):
        metric(np.array([0.0, np.nan]), np.array([0.0]))


def test_trials_of_one_key_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match=r"spoof scores have shape \[0\]"):
        rank(np.array([1.0, 2.0]), np.array([True, True]))


def test_every_trial_that_is_ranked_has_a_score() -> None:
    with pytest.raises(ValueError, match=r"scores have shape \(1,\), trials \(2,\); every trial needs one score"):
        rank(np.array([1.0]), np.array([True, False]))


def test_ranking_puts_bona_fide_first_where_scores_tie_however_trials_are_given() -> None:
    ranking = rank(np.array([2.0, 1.0, 1.0, 0.0]), np.array([True, False, True, False]))
    np.testing.assert_array_equal(ranking.order, [3, 2, 1, 0])
    np.testing.assert_array_equal(ranking.is_bonafide, [False, True, False, True])


@pytest.mark.parametrize(("plural", "metric"), zip(PLURALS, METRICS, strict=True))
def test_counting_trials_is_repeating_them(plural, metric) -> None:
    exact = plural not in (error_counts.cllrs, error_counts.min_cllrs)
    for seed in range(100):
        bonafide, spoof = tied_scores(seed)
        scores, is_bonafide = np.r_[bonafide, spoof], np.arange(len(bonafide) + len(spoof)) < len(bonafide)
        counts = np.random.default_rng(seed).integers(0, 4, (5, len(scores)))
        counts[:, [0, -1]] += 1  # both keys remain
        ranking = rank(scores, is_bonafide)
        values = plural(Tally(ranking, counts[:, ranking.order]))
        for row, value_of_sample in zip(counts, values, strict=True):
            expected = value(metric(np.repeat(bonafide, row[is_bonafide]), np.repeat(spoof, row[~is_bonafide])))
            assert value_of_sample == (expected if exact else pytest.approx(expected, abs=1e-12))
