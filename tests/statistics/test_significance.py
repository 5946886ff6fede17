"""Paired comparisons reject as often as they may, and families and seeds follow their closed forms."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.metrics import Population, false_rejections
from codecfake.statistics.intervals import BootstrapSettings, Trials, design_of, draws
from codecfake.statistics.metrics import eer
from codecfake.statistics.significance import PairedTests, compare, holm, over_seeds, paired_tests, utterance_errors

BY_SPEAKER = BootstrapSettings("speaker", 300)


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def trials_and_scores(rng: np.random.Generator) -> tuple[Trials, np.ndarray, np.ndarray]:
    """The scores of two systems for 20 speakers; the second is much the worse."""
    trials, (first, second) = Population(0.1, speakers=20, utterances=20, speaker_share=0.2).draw(rng, systems=2)
    return trials, first, second - 0.8 * np.where(trials.is_bonafide, 1, -1)


def test_a_difference_is_that_of_the_two_eers_on_the_same_draws(trials_and_scores) -> None:
    trials, first, second = trials_and_scores
    error_rates = {"first": [], "second": []}
    for counts in np.concatenate(list(draws(design_of(trials, "speaker"), 300, generator()))):
        is_bonafide = np.repeat(trials.is_bonafide, counts)
        for name, scores in (("first", first), ("second", second)):
            scores_of_draw = np.repeat(scores, counts)
            error_rates[name].append(eer(scores_of_draw[is_bonafide], scores_of_draw[~is_bonafide]).eer)
    error = np.std(np.subtract(error_rates["first"], error_rates["second"])) * math.sqrt(20 / 19)
    result = compare(trials, first, second, BY_SPEAKER, generator())
    assert result.difference.estimate == result.first - result.second
    assert result.difference.high == pytest.approx(result.difference.estimate + stats.t.ppf(0.975, 19) * error)
    assert result.p_value == pytest.approx(2 * stats.t.sf(-result.difference.estimate / error, 19))


def test_a_much_better_system_is_found_to_be_so(trials_and_scores) -> None:
    result = compare(*trials_and_scores, BY_SPEAKER, generator())
    assert result.difference.high < 0
    assert result.p_value < 0.001
    assert result.difference.note == ""


def test_swapping_systems_turns_the_interval_round_and_keeps_the_p_value(trials_and_scores) -> None:
    trials, first, second = trials_and_scores
    one, other = (compare(trials, *pair, BY_SPEAKER, generator()) for pair in ((first, second), (second, first)))
    assert other.p_value == one.p_value
    assert (other.difference.low, other.difference.high) == (-one.difference.high, -one.difference.low)


def test_a_system_does_not_differ_from_an_increasing_map_of_itself(trials_and_scores) -> None:
    trials, first, _ = trials_and_scores
    result = compare(trials, first, np.exp(first), BY_SPEAKER, generator())
    assert (result.difference.low, result.difference.high, result.p_value) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("shift", np.linspace(0, 0.3, 7))
def test_the_p_value_is_under_five_percent_just_where_the_interval_leaves_out_zero(trials_and_scores, shift) -> None:
    trials, first, second = trials_and_scores
    result = compare(trials, first, second + shift * np.where(trials.is_bonafide, 3, -3), BY_SPEAKER, generator())
    assert (result.p_value < 0.05) == (result.difference.low > 0 or result.difference.high < 0)


def test_a_comparison_on_few_errors_says_so() -> None:
    trials = Trials(np.arange(200) < 100)
    perfect = np.where(trials.is_bonafide, 1.0, -1.0)
    result = compare(trials, perfect, perfect[::-1].copy(), BootstrapSettings("trial", 50), generator())
    assert result.difference.estimate == -1.0
    assert result.difference.note.endswith("an EER counts only 0 errors of one key; the test is approximate below 10")


@pytest.mark.parametrize(
    ("speakers", "resamples", "bound"),
    [
        (2, 100, 1 / 2),  # 2 of the 4 ways to exchange the systems speaker by speaker are as extreme
        (5, 100, 1 / 16),
        (40, 100, 1 / 101),  # a hundred draws cannot say that what they never saw is rarer
    ],
)
def test_draws_that_all_agree_bound_the_p_value_and_do_not_make_it_zero(speakers, resamples, bound) -> None:
    trials = Trials(np.arange(8 * speakers) < 4 * speakers, np.arange(8 * speakers) % speakers)
    right = np.where(trials.is_bonafide, 1.0, -1.0)
    result = compare(trials, right, -right, BootstrapSettings("speaker", resamples), generator())
    assert (result.difference.estimate, result.bounded) == (-1.0, True)
    assert result.p_value == pytest.approx(bound)
    assert "no resample differs from another, so the bounds say nothing" in result.difference.note


def test_draws_that_differ_give_no_bound(trials_and_scores) -> None:
    assert not compare(*trials_and_scores, BY_SPEAKER, generator()).bounded


def test_no_p_value_is_zero(rng) -> None:
    better, worse = rng.normal(5, 1e-3, (2, 3000)), np.ones((2, 3000))
    trials = Trials(np.arange(6000) < 3000)
    shaken = np.where(trials.is_bonafide, 1.0, -1.0) + rng.normal(0, 0.5, 6000)
    assert 0 < compare(trials, shaken, -shaken, BootstrapSettings("trial", 20), generator()).p_value < 1e-300
    for first in (better.ravel(), 2 * worse.ravel()):  # a t far out, and a t without any spread
        result = paired_tests(first, worse.ravel())
        assert 0 < result.t_test_p < 1e-300
        assert result.wilcoxon_p > 0


def test_predictions_that_differ_all_by_the_same_are_bounded_by_their_number() -> None:
    result = paired_tests(np.ones(5), np.zeros(5))
    assert (result.mean_difference, result.t_test_p) == (1.0, 1 / 16)


@pytest.mark.long
def test_equally_good_systems_are_rarely_told_apart() -> None:
    population = Population(0.2, speakers=30, utterances=10, speaker_share=0.3)
    rejections = 150 * false_rejections(population, "speaker", generator(), data_sets=150, resamples=150)
    assert rejections <= stats.binom.ppf(0.999, 150, 0.06)


@pytest.mark.long
def test_drawing_trials_tells_equal_systems_apart_that_differ_by_speaker() -> None:
    population = Population(0.2, speakers=30, utterances=10, speaker_share=0.5)
    rejections = 100 * false_rejections(population, "trial", generator(), data_sets=100, resamples=100)
    assert rejections > stats.binom.ppf(0.999, 100, 0.06)


def test_holm_by_hand() -> None:
    # 0.01 · 4, 0.02 · 3, then 0.03 · 2 is not below it, and 0.04 · 1 neither
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])


def test_holm_of_one_test_is_itself_and_of_none_is_none() -> None:
    np.testing.assert_array_equal(holm([0.3]), [0.3])
    assert holm([]).shape == (0,)


def test_holm_gives_no_probability_above_one() -> None:
    np.testing.assert_array_equal(holm([0.9, 0.8]), [1.0, 1.0])


def test_holm_lies_between_no_correction_and_that_of_bonferroni(rng) -> None:
    raw = rng.random(50) ** 3
    adjusted = holm(raw)
    assert np.all(raw <= adjusted)
    assert np.all(adjusted <= np.minimum(50 * raw, 1))
    assert np.all(np.diff(adjusted[np.argsort(raw)]) >= 0)


def test_paired_tests_by_hand() -> None:
    # differences 1, 2, 3, 4, −5: mean 1, standard deviation √12.5, t = 1 / √(12.5 / 5)
    result = paired_tests(np.array([1.0, 2.0, 3.0, 4.0, 0.0]), np.array([0.0, 0.0, 0.0, 0.0, 5.0]))
    assert result.mean_difference == 1.0
    assert result.t_test_p == pytest.approx(2 * stats.t.sf(1 / math.sqrt(2.5), 4))
    # negative ranks sum to 5; of 32 signings ten have 5 or less: {} 1 2 3 4 5 12 13 14 23
    assert result.wilcoxon_p == pytest.approx(2 * 10 / 32)
    assert result.utterances == 5


def test_equal_predictions_do_not_differ() -> None:
    result = paired_tests(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert (result.mean_difference, result.t_test_p, result.wilcoxon_p) == (0.0, 1.0, 1.0)
    assert not result.significant()


def test_systems_differ_only_if_both_tests_say_so() -> None:
    assert PairedTests(0.1, 0.009, 0.009, 100).significant()
    assert not PairedTests(0.1, 0.009, 0.01, 100).significant()
    assert not PairedTests(0.1, 0.02, 0.001, 100).significant()
    assert PairedTests(0.1, 0.02, 0.001, 100).significant(level=0.05)


@pytest.mark.parametrize("pair", [([0.0], [1.0]), ([0.0, 1.0], [1.0]), ([[0.0, 1.0]], [[1.0, 1.0]])])
def test_predictions_that_cannot_be_paired_are_refused(pair) -> None:
    with pytest.raises(ValueError, match="both need one for each of 2 or more utterances"):
        paired_tests(*map(np.array, pair))


def test_errors_of_utterances_by_hand() -> None:
    # in ascending order s s b s b b: the EER's threshold is 0.3, where that b and the s above it are wrong
    scores = np.array([0.5, 0.1, 0.3, 0.4, 0.6, 0.2])
    is_bonafide = np.array([True, False, True, False, True, False])
    np.testing.assert_array_equal(utterance_errors(scores, is_bonafide), [0, 0, 1, 1, 0, 0])


def test_the_mean_error_of_utterances_is_the_eer_where_keys_are_as_many(trials_and_scores) -> None:
    trials, first, _ = trials_and_scores
    errors = utterance_errors(first, trials.is_bonafide)
    assert errors.mean() == pytest.approx(eer(first[trials.is_bonafide], first[~trials.is_bonafide]).eer)


def test_spread_over_seeds_by_hand() -> None:
    result = over_seeds([1.0, 2.0, 6.0])
    # squared distances from 3: 4, 1, 9; variance 7; Student's quantile of 2 degrees of freedom is 4.3027
    assert (result.mean, result.std, result.seeds) == (3.0, pytest.approx(math.sqrt(7)), 3)
    assert result.high == pytest.approx(3 + 4.30265 * math.sqrt(7 / 3), rel=1e-5)
    assert result.low == pytest.approx(3 - 4.30265 * math.sqrt(7 / 3), rel=1e-5)


def test_one_seed_has_no_spread() -> None:
    result = over_seeds([0.25])
    assert (result.mean, result.std, result.low, result.high, result.seeds) == (0.25, None, None, None, 1)


def test_two_seeds_have_one_degree_of_freedom() -> None:
    # Student's with one degree is Cauchy's: its 97.5 % quantile is tan(0.475 π)
    assert over_seeds([0.0, 2.0]).high == pytest.approx(1 + math.tan(0.475 * math.pi))


def test_no_seed_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no result of any seed"):
        over_seeds([])


@pytest.mark.slow
@pytest.mark.parametrize(
    "population",
    [Population(0.1, 50, 20, speaker_share=0.25), Population(0.1, 10, 50, speaker_share=0.25)],
)
def test_equally_good_systems_of_full_size_are_rarely_told_apart(population) -> None:
    rejections = 400 * false_rejections(population, "speaker", generator(), data_sets=400)
    assert rejections <= stats.binom.ppf(0.999, 400, 0.06)
