"""The EER of clustered trials: equal sets are at exactly one half, weights are repetitions, intervals know clusters."""

import numpy as np
import pytest

from codecfake.statistics.clustered import clustered_eer, eer_of_counts
from codecfake.statistics.error_counts import eers, full_sample, rank
from codecfake.statistics.intervals import BootstrapSettings

FEW = BootstrapSettings(resamples=200)


def ones(number: int) -> np.ndarray:
    return np.ones((1, number), np.int64)


@pytest.mark.parametrize("number", [1, 2, 3, 7, 20])
def test_two_equal_sets_of_scores_have_an_eer_of_exactly_one_half(number: int) -> None:
    scores = np.random.default_rng(number).standard_normal(number)
    is_bonafide = np.arange(2 * number) < number
    assert eer_of_counts(np.tile(scores, 2), is_bonafide, ones(2 * number)).tolist() == [0.5]


def test_equal_scores_of_all_trials_have_an_eer_of_one_half() -> None:
    is_bonafide = np.array([True, False, False, True, False])
    assert eer_of_counts(np.zeros(5), is_bonafide, ones(5)).tolist() == [0.5]


@pytest.mark.parametrize("seed", range(5))
def test_without_ties_it_is_the_eer_of_all_other_tables(seed: int) -> None:
    rng = np.random.default_rng(seed)
    is_bonafide = rng.random(41) < 0.4
    scores = rng.standard_normal(41) + is_bonafide
    assert eer_of_counts(scores, is_bonafide, ones(41)) == pytest.approx(eers(full_sample(rank(scores, is_bonafide))))


def test_the_order_of_trials_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    scores, is_bonafide = rng.integers(0, 4, 50).astype(float), rng.random(50) < 0.5
    order = rng.permutation(50)
    whole = eer_of_counts(scores, is_bonafide, ones(50))
    assert np.array_equal(whole, eer_of_counts(scores[order], is_bonafide[order], ones(50)))


def test_a_weight_is_a_number_of_repetitions() -> None:
    scores, is_bonafide = np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True])
    weights = np.array([3, 1, 1, 5])
    weighted = eer_of_counts(scores, is_bonafide, weights[None])
    assert weighted == eer_of_counts(np.repeat(scores, weights), np.repeat(is_bonafide, weights), ones(10))
    assert weighted == pytest.approx((1 / 6 + 1 / 4) / 2)  # one of six is missed, one of four accepted


def clustered(num_clusters: int, of_each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trials whose scores differ by cluster more than by key."""
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(num_clusters), of_each)
    is_bonafide = np.tile([True, False], num_clusters * of_each // 2)
    scores = np.where(is_bonafide, rng.standard_normal(num_clusters)[clusters], 0) + 0.3 * rng.standard_normal(
        len(clusters)
    )
    return scores, is_bonafide, clusters.astype(str)


def test_intervals_of_clusters_are_wider_than_those_of_independent_trials() -> None:
    scores, is_bonafide, clusters = clustered(12, 40)
    by_cluster = clustered_eer(scores, is_bonafide, clusters, FEW, np.random.default_rng(0))
    alone = np.arange(len(scores)).astype(str)
    by_trial = clustered_eer(scores, is_bonafide, alone, FEW, np.random.default_rng(0))
    assert by_cluster.estimate == by_trial.estimate
    assert by_cluster.high - by_cluster.low > 1.5 * (by_trial.high - by_trial.low)
    assert by_cluster.clusters == 12


def test_without_errors_the_bound_is_of_the_clusters_and_not_of_the_trials() -> None:
    is_bonafide = np.tile([True, False], 100)
    clusters = np.repeat(np.arange(10), 20).astype(str)
    interval = clustered_eer(is_bonafide.astype(float), is_bonafide, clusters, FEW, np.random.default_rng(0))
    assert (interval.estimate, interval.low) == (0, 0)
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / 10))


def test_one_cluster_cannot_be_resampled() -> None:
    is_bonafide = np.array([True, False])
    with pytest.raises(ValueError, match="resampling needs at least two"):
        clustered_eer(np.zeros(2), is_bonafide, np.array(["a", "a"]), FEW, np.random.default_rng(0))
