"""Equal error rate and its kin, held to their laws."""

import time

import numpy as np
import pytest

from codecfake.metrics import Confusion, confusion, det_curve, eer


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


def test_a_million_scores_take_less_than_a_second(rng: np.random.Generator) -> None:
    bonafide, spoof = rng.normal(1, 1, 200_000), rng.normal(-1, 1, 800_000)
    started = time.process_time()
    assert eer(bonafide, spoof).eer == pytest.approx(0.1587, abs=0.003)  # P(N(0, 1) > 1)
    assert time.process_time() - started < 1
