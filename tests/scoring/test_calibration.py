"""Calibration finds what it is told, is bounded where data are not, and turns nothing round."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from codecfake.base.settings import SettingsError
from codecfake.scoring.calibration import Calibration, CalibrationError, ReliabilityBin, fit, read, reliability, write
from codecfake.statistics.metrics import act_dcf, cllr, eer, min_cllr


@pytest.fixture
def scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian scores whose log-likelihood ratio is score − 5."""
    return rng.normal(7, 2, 4000), rng.normal(3, 2, 9000)


def test_gaussian_scores_get_the_log_likelihood_ratio_that_theory_gives(scores) -> None:
    # equal variances σ² and means m ± d: slope 2d / σ² = 4 / 4, offset −slope · m
    calibration = fit(*scores)
    assert calibration.slope == pytest.approx(1.0, rel=0.05)
    assert calibration.offset == pytest.approx(-5.0, rel=0.05)


@pytest.mark.parametrize("prior", [0.5, 0.95])
def test_the_fit_agrees_with_the_logistic_regression_of_scikit_learn(scores, prior) -> None:
    # a target of (n + 1) / (n + 2): the trial counts (n + 1) / (n + 2) times, and 1 / (n + 2) times as of the other key
    both_keys, rows = np.concatenate(scores)[:, None], [len(key) for key in scores]
    targets = np.concatenate([np.full(rows[0], (rows[0] + 1) / (rows[0] + 2)), np.full(rows[1], 1 / (rows[1] + 2))])
    weights = np.concatenate([np.full(rows[0], prior / rows[0]), np.full(rows[1], (1 - prior) / rows[1])]) * 1000
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.concatenate((both_keys, both_keys)),
        np.r_[np.ones(sum(rows)), np.zeros(sum(rows))],
        sample_weight=np.r_[weights * targets, weights * (1 - targets)],
    )
    calibration = fit(*scores, prior=prior)
    assert calibration.slope == pytest.approx(model.coef_.item(), rel=1e-4)
    assert calibration.offset == pytest.approx(model.intercept_.item() - math.log(prior / (1 - prior)), rel=1e-4)


def test_calibration_lowers_cllr_to_near_its_least_and_leaves_the_order_alone(scores) -> None:
    calibration = fit(*scores)
    bonafide, spoof = (calibration(key) for key in scores)
    assert min_cllr(bonafide, spoof) == pytest.approx(min_cllr(*scores), abs=1e-12)
    assert cllr(bonafide, spoof) < min_cllr(*scores) + 0.01 < cllr(*scores)
    assert eer(bonafide, spoof).eer == eer(*scores).eer


def test_a_calibrated_score_scales_and_shifts_with_its_detector(scores) -> None:
    calibration, other = fit(*scores), fit(*(1e-3 * key - 40 for key in scores))
    np.testing.assert_allclose(other(1e-3 * scores[0] - 40), calibration(scores[0]), rtol=1e-6)


def test_the_order_of_trials_does_not_matter_to_the_last_bit(scores, rng) -> None:
    assert fit(*(rng.permutation(key) for key in scores)) == fit(*scores)


def test_calibrating_what_is_calibrated_changes_nothing(scores) -> None:
    first = fit(*scores)
    again = fit(*(first(key) for key in scores))
    assert again.slope == pytest.approx(1.0, abs=1e-6)
    assert again.offset == pytest.approx(0.0, abs=1e-6)


def test_separated_keys_get_the_log_odds_that_their_number_supports() -> None:
    # two scores in all: each key's ratio is at its target's odds, (n + 1) : 1
    calibration = fit(np.full(98, 3.0), np.full(48, -1.0))
    assert calibration(3.0) == pytest.approx(math.log(99))
    assert calibration(-1.0) == pytest.approx(-math.log(49))


def test_one_trial_of_each_key_is_enough() -> None:
    calibration = fit(np.array([1.0]), np.array([0.0]))
    assert calibration(1.0) == pytest.approx(math.log(2))
    assert calibration(0.0) == pytest.approx(-math.log(2))


def test_scores_the_wrong_way_round_are_not_turned_but_say_nothing(scores) -> None:
    bonafide, spoof = scores
    calibration = fit(-bonafide, -spoof)
    assert (calibration.slope, calibration.offset) == (0.0, 0.0)
    np.testing.assert_array_equal(calibration(-bonafide), 0.0)
    assert cllr(calibration(-bonafide), calibration(-spoof)) == 1.0
    assert act_dcf(calibration(-bonafide), calibration(-spoof)) == 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 1.0], [1.0]), CalibrationError, "all 3 scores are 1; constant scores have no slope"),
        (([], [1.0]), ValueError, r"bonafide scores have shape \[0\]"),
        (([1.0], []), ValueError, r"spoof scores have shape \[0\]"),
        (([1.0, np.inf], [0.0]), ValueError, "bonafide score number 1 is inf"),
        (([1.0], [0.0], 1.0), CalibrationError, "prior is 1.0; the share of bona fide must be between 0 and 1"),
    ],
)
def test_scores_that_cannot_be_calibrated_are_refused(arguments, error, message) -> None:
    with pytest.raises(error, match=message):
        fit(*arguments)


def test_a_calibration_is_read_as_it_was_written(tmp_path, scores) -> None:
    calibration = fit(*scores)
    write(tmp_path / "calibration.json", calibration)
    assert read(tmp_path / "calibration.json") == calibration


def test_a_calibration_with_an_unknown_entry_is_refused(tmp_path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text('{"slop": 1}')
    with pytest.raises(SettingsError, match="unknown setting 'slop'"):
        read(path)


def test_reliability_by_hand() -> None:
    # as many of each key, so the prior is even; ratios of log 9 and −log 9 are probabilities of 0.9 and 0.1
    bins = list(reliability(np.log([9.0, 9.0, 1 / 9]), np.log([9.0, 1 / 9, 1 / 9]), bins=2))
    assert [asdict(each) for each in bins] == [
        asdict(ReliabilityBin(0.0, 0.5, pytest.approx(0.1), pytest.approx(1 / 3), 3)),
        asdict(ReliabilityBin(0.5, 1.0, pytest.approx(0.9), pytest.approx(2 / 3), 3)),
    ]


def test_reliability_agrees_with_scikit_learn(scores) -> None:
    calibration = fit(*scores)
    bonafide, spoof = (calibration(key) for key in scores)
    bins = list(reliability(bonafide, spoof, bins=20))
    probability = 1 / (1 + np.exp(-np.r_[bonafide, spoof] - math.log(4000 / 9000)))
    observed, predicted = calibration_curve(np.r_[np.ones(4000), np.zeros(9000)], probability, n_bins=20)
    np.testing.assert_allclose([each.predicted for each in bins], predicted, atol=1e-12)
    np.testing.assert_allclose([each.observed for each in bins], observed, atol=1e-12)
    assert sum(each.count for each in bins) == 13_000


def test_observed_shares_of_calibrated_scores_are_as_predicted(scores) -> None:
    calibration = fit(*scores)
    for each in reliability(*(calibration(key) for key in scores)):
        error = math.sqrt(each.predicted * (1 - each.predicted) / each.count)
        assert abs(each.observed - each.predicted) < 4 * error + 0.005


def test_certain_predictions_fall_in_the_outermost_bins() -> None:
    bins = list(reliability(np.array([1e4]), np.array([-1e4])))
    assert [(each.low, each.high, each.observed, each.count) for each in bins] == [
        (0.0, 0.1, 0.0, 1),
        (0.9, 1.0, 1.0, 1),
    ]


def test_a_calibration_is_a_line() -> None:
    np.testing.assert_array_equal(Calibration(2.0, -1.0, 0.5, 1, 1)(np.array([0.0, 3.0])), [-1.0, 5.0])
