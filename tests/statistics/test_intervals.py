"""Intervals hold the truth as often as they say, draw what they say, and own up to what they cannot know."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats

from benchmarks.metrics import METRICS, Population, coverage
from codecfake.statistics import intervals, metrics
from codecfake.statistics.error_counts import DetectionCost, crossings, eers, full_sample, min_dcfs, rank, roc_aucs
from codecfake.statistics.exact_bounds import exact_eer, exact_rate
from codecfake.statistics.intervals import (
    BootstrapSettings,
    Trials,
    bootstrap,
    design_of,
    draws,
    log_odds_interval,
    percentile_interval,
)

BY_TRIAL, BY_SPEAKER = BootstrapSettings("trial", 200), BootstrapSettings("speaker", 200)


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def trials_and_scores(rng: np.random.Generator) -> tuple[Trials, np.ndarray]:
    """12 speakers with 20 bona fide trials and 20 spoofs each, of 4 attacks; the EER is near 10 %."""
    trials, scores = Population(0.1, speakers=12, utterances=5, speaker_share=0.2, attacks=4, attack_share=0.1).draw(
        rng
    )
    return trials, scores[0]


def all_draws(trials: Trials, by: str, resamples: int = 200) -> np.ndarray:
    return np.concatenate(list(draws(design_of(trials, by), resamples, generator())))


def test_the_estimate_is_the_metric_and_lies_within_its_interval(trials_and_scores) -> None:
    trials, scores = trials_and_scores
    plain = metrics.measures(scores[trials.is_bonafide], scores[~trials.is_bonafide])
    for by in intervals.RESAMPLING_UNITS:
        for name, interval in bootstrap(trials, scores, METRICS, BootstrapSettings(by, 200), generator()).items():
            assert interval.estimate == getattr(plain, name)
            assert interval.low < interval.estimate < interval.high


def test_the_same_generator_gives_the_same_intervals(trials_and_scores) -> None:
    first, second = (bootstrap(*trials_and_scores, METRICS, BY_SPEAKER, generator()) for _ in range(2))
    assert first == second


def test_draws_do_not_depend_on_how_many_are_held_at_a_time(trials_and_scores, monkeypatch) -> None:
    trials, _ = trials_and_scores
    at_once = all_draws(trials, "speaker_and_attack")
    monkeypatch.setattr(intervals, "CELLS", 1)
    np.testing.assert_array_equal(all_draws(trials, "speaker_and_attack"), at_once)


def test_counted_draws_give_what_drawn_trials_give(trials_and_scores) -> None:
    trials, scores = trials_and_scores
    values = []
    for counts in all_draws(trials, "speaker"):
        scores_of_draw, is_bonafide = np.repeat(scores, counts), np.repeat(trials.is_bonafide, counts)
        values.append(metrics.eer(scores_of_draw[is_bonafide], scores_of_draw[~is_bonafide]).eer)
    interval = bootstrap(trials, scores, {"eer": eers}, BY_SPEAKER, generator())["eer"]
    design = design_of(trials, "speaker")
    expected = log_odds_interval(interval.estimate, np.array(values), 0.95, design, step=1 / 240)
    assert (interval.low, interval.high) == (expected.low, expected.high)


def test_trials_are_drawn_within_their_key(trials_and_scores) -> None:
    trials, _ = trials_and_scores
    counts = all_draws(trials, "trial")
    np.testing.assert_array_equal(counts[:, trials.is_bonafide].sum(axis=1), trials.is_bonafide.sum())
    np.testing.assert_array_equal(counts[:, ~trials.is_bonafide].sum(axis=1), (~trials.is_bonafide).sum())
    np.testing.assert_allclose(counts.mean(), 1)


def test_a_speaker_is_drawn_whole_bona_fide_trials_and_spoofs_together(trials_and_scores) -> None:
    trials, _ = trials_and_scores
    counts = all_draws(trials, "speaker")
    for speaker in range(12):
        of_speaker = counts[:, trials.speakers == speaker]
        np.testing.assert_array_equal(of_speaker, np.broadcast_to(of_speaker[:, :1], of_speaker.shape))
    per_speaker = counts[:, np.unique(trials.speakers, return_index=True)[1]]
    np.testing.assert_array_equal(per_speaker.sum(axis=1), 12)
    # a multinomial count of n speakers has variance 1 − 1 / n
    assert per_speaker.var() == pytest.approx(1 - 1 / 12, rel=0.1)


def test_speakers_of_one_key_are_drawn_among_themselves() -> None:
    # a and b are bona fide alone, c spoofed alone, d both
    trials = Trials(np.array([True, True, False, True, False]), np.array(["a", "b", "c", "d", "d"]))
    counts = all_draws(trials, "speaker")
    np.testing.assert_array_equal(counts[:, 2:], 1)
    np.testing.assert_array_equal(counts[:, 0] + counts[:, 1], 2)
    assert set(counts[:, 0]) == {0, 1, 2}


def test_drawing_speakers_of_one_trial_each_is_drawing_trials(trials_and_scores) -> None:
    trials, scores = trials_and_scores
    own = replace(trials, speakers=np.array([f"{number:04d}" for number in range(len(scores))]))
    by_trial, by_speaker = (bootstrap(own, scores, METRICS, s, generator()) for s in (BY_TRIAL, BY_SPEAKER))
    for name in METRICS:
        assert replace(by_speaker[name], method="") == replace(by_trial[name], method="")


def test_trials_of_two_ways_count_as_often_as_their_speaker_times_their_attack(trials_and_scores) -> None:
    trials, _ = trials_and_scores
    counts = all_draws(trials, "speaker_and_attack")
    bonafide, spoof = trials.is_bonafide, ~trials.is_bonafide
    for row in counts[:50]:
        of_speaker = {speaker: row[bonafide & (trials.speakers == speaker)][0] for speaker in range(12)}
        assert sum(of_speaker.values()) == 12
        one = next(speaker for speaker in of_speaker if of_speaker[speaker] > 0)
        of_attack = {
            attack: row[spoof & (trials.speakers == one) & (trials.attacks == attack)][0] // of_speaker[one]
            for attack in range(4)
        }
        assert sum(of_attack.values()) == 4
        expected = [
            of_speaker[s] * of_attack[a] for s, a in zip(trials.speakers[spoof], trials.attacks[spoof], strict=True)
        ]
        np.testing.assert_array_equal(row[spoof], expected)


def test_the_attack_named_for_bona_fide_trials_is_not_drawn(trials_and_scores) -> None:
    trials, _ = trials_and_scores
    renamed = replace(trials, attacks=np.where(trials.is_bonafide, "-", trials.attacks.astype(str)))
    expected = all_draws(replace(trials, attacks=trials.attacks.astype(str)), "speaker_and_attack")
    np.testing.assert_array_equal(all_draws(renamed, "speaker_and_attack"), expected)
    assert design_of(renamed, "speaker_and_attack").clusters == 4


def test_draws_that_leave_a_key_without_trials_are_made_again() -> None:
    # each of two speakers is spoofed by an attack of their own: in half of all draws speaker and attack do not meet
    trials = Trials(np.array([True, False] * 2), np.array(["a", "a", "b", "b"]), np.array(["x", "x", "y", "y"]))
    counts = all_draws(trials, "speaker_and_attack")
    assert counts[:, trials.is_bonafide].any(axis=1).all()
    assert counts[:, ~trials.is_bonafide].any(axis=1).all()


def test_draws_that_can_hardly_keep_both_keys_are_given_up(monkeypatch) -> None:
    monkeypatch.setattr(intervals, "MOST_DRAWS", 1)
    trials = Trials(np.array([True, False] * 2), np.array(["a", "a", "b", "b"]), np.array(["x", "x", "y", "y"]))
    with pytest.raises(
        ValueError, match="left one key without a trial; too few attacks share speakers: draw by='speaker'"
    ):
        all_draws(trials, "speaker_and_attack")


def test_intervals_of_speakers_are_wider_where_speakers_differ(rng) -> None:
    trials, scores = Population(0.1, speakers=30, utterances=40, speaker_share=0.4).draw(rng)
    by_trial, by_speaker = (
        bootstrap(trials, scores[0], {"eer": eers}, settings, generator())["eer"] for settings in (BY_TRIAL, BY_SPEAKER)
    )
    assert by_speaker.high - by_speaker.low > 1.5 * (by_trial.high - by_trial.low)


def test_many_clusters_make_an_interval_of_percentiles_one_of_plain_percentiles(rng) -> None:
    design = design_of(Trials(np.arange(200_000) < 100_000), "trial")
    values = rng.normal(0.3, 0.01, 5000)
    interval = percentile_interval(0.3, values, 0.9, design)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])), abs=1e-5)


def test_few_clusters_move_percentiles_out_as_students_t_and_variance_ask(rng) -> None:
    design = design_of(Trials(np.arange(8) < 4), "trial")
    values = rng.normal(0, 1, 1_000_000)
    interval = percentile_interval(0.0, values, 0.8, design)
    assert interval.high == pytest.approx(stats.t.ppf(0.9, df=3) * math.sqrt(4 / 3), abs=0.02)


def test_an_interval_of_log_odds_by_hand(rng) -> None:
    design = design_of(Trials(np.arange(2000) < 1000), "trial")
    values = 1 / (1 + np.exp(-rng.normal(-2, 0.1, 500)))
    spread = np.std(np.log(values / (1 - values))) * math.sqrt(1000 / 999)
    interval = log_odds_interval(0.1, values, 0.95, design, step=1 / 1000)
    for bound, side in ((interval.low, -1), (interval.high, 1)):
        odds = math.log(0.1 / 0.9) + side * stats.t.ppf(0.975, 999) * spread
        assert bound == pytest.approx(1 / (1 + math.exp(-odds)))


def test_shares_get_log_odds_and_costs_percentiles(trials_and_scores) -> None:
    metrics_with_cost = {**METRICS, "dear": partial(min_dcfs, cost=DetectionCost(spoof_prior=0.5))}
    by_metric = bootstrap(*trials_and_scores, metrics_with_cost, BY_SPEAKER, generator())
    methods = {name: interval.method.removeprefix("bootstrap by speaker, ") for name, interval in by_metric.items()}
    shares = dict.fromkeys(("eer", "min_dcf", "min_cllr", "roc_auc", "dear"), "Student's t of log odds")
    assert methods == {**shares, "act_dcf": "expanded percentile", "cllr": "expanded percentile"}


def test_percentiles_that_miss_the_estimate_are_widened_and_say_so() -> None:
    design = design_of(Trials(np.arange(200) < 100), "trial")
    interval = percentile_interval(0.5, np.linspace(0.1, 0.4, 100), 0.95, design)
    assert interval.high == 0.5
    assert "widened to hold the estimate" in interval.note


def test_resamples_that_do_not_differ_say_so() -> None:
    trials, scores = Trials(np.arange(40) < 20), np.where(np.arange(40) < 20, 1.0, -1.0)
    interval = bootstrap(trials, scores, {"roc_auc": roc_aucs}, BY_TRIAL, generator())["roc_auc"]
    assert (interval.low, interval.estimate, interval.high) == (
        pytest.approx(1 - 0.5 / 400),  # half of 20 · 20 pairs
        1.0,
        1.0,
    )
    assert interval.note == "no resample differs from another, so the bounds say nothing"


@pytest.mark.parametrize(("speakers", "few"), [(9, True), (10, False)])
def test_few_speakers_are_a_warning(rng, speakers, few) -> None:
    trials, scores = Population(0.2, speakers=speakers, utterances=30).draw(rng)
    for interval in bootstrap(trials, scores[0], METRICS, BY_SPEAKER, generator()).values():
        assert (interval.clusters, interval.few_clusters) == (speakers, few)


def test_clusters_are_those_of_the_key_that_rests_on_fewest() -> None:
    trials = Trials(np.arange(40) < 30, np.r_[np.arange(30), np.repeat([50, 51], 5)])
    assert design_of(trials, "speaker").clusters == 2
    assert design_of(trials, "trial").clusters == 10


def test_no_error_at_all_is_bounded_exactly() -> None:
    trials = Trials(np.arange(300) < 100, np.r_[np.arange(100) % 20, np.arange(200) % 20])
    scores = np.where(trials.is_bonafide, 1.0, -1.0)
    interval = bootstrap(trials, scores, {"eer": eers}, BY_SPEAKER, generator())["eer"]
    assert (interval.estimate, interval.low, interval.resamples) == (0.0, 0.0, 0)
    # (1 − p)^100 = 0.025: the key with fewer trials decides
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert interval.method == "exact (Clopper and Pearson)"
    # no error for any of 20 speakers: (1 − p)^20 = 0.025
    assert (
        interval.note == "no error; the bounds take trials for independent, up to 16.8% of clusters may yet have errors"
    )


def test_few_errors_are_bounded_exactly_too() -> None:
    # 2 of 1000 on either side of the threshold
    scores = np.r_[np.full(998, 1.0), -1.0, -1.0, np.full(998, -2.0), 0.5, 0.5] + np.arange(2000) * 1e-6
    trials = Trials(np.arange(2000) < 1000)
    interval = bootstrap(trials, scores, {"eer": eers}, BY_TRIAL, generator())["eer"]
    low, high = (stats.beta.ppf(0.0125, 2, 999), stats.beta.ppf(0.9875, 3, 998))  # Clopper–Pearson by its quantiles
    assert interval.estimate == 0.002
    assert interval.low == pytest.approx(low)
    assert interval.high == pytest.approx(high)
    assert interval.method.endswith("joined with exact bounds")
    assert interval.note.startswith("2 missed and 2 accepted;")


def test_ten_errors_of_either_key_are_no_longer_few(rng) -> None:
    scores = np.r_[np.full(90, 1.0), np.full(10, -1.0), np.full(90, -2.0), np.full(10, 0.5)] + np.arange(200) * 1e-6
    trials = Trials(np.arange(200) < 100)
    interval = bootstrap(trials, scores, {"eer": eers}, BY_TRIAL, generator())["eer"]
    assert (interval.estimate, interval.note) == (0.1, "")


def test_an_exact_rate_is_clopper_and_pearsons() -> None:
    low, high = exact_rate(3, 50, 0.95)
    assert stats.binom.sf(2, 50, low) == pytest.approx(0.025, abs=1e-6)
    assert stats.binom.cdf(3, 50, high) == pytest.approx(0.025, abs=1e-6)


def test_exact_bounds_of_an_eer_shrink_with_either_key() -> None:
    assert exact_eer(0, 1000, 0, 1000, 0.95)[1] < exact_eer(0, 100, 0, 1000, 0.95)[1]
    assert exact_eer(0, 100, 0, 100, 0.95) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))


@pytest.mark.long
def test_exact_bounds_hold_a_small_true_eer_at_least_as_often_as_they_say(rng) -> None:
    hits = 0
    for _ in range(400):
        trials, scores = Population(0.005, speakers=400, utterances=1).draw(rng)
        misses, false_alarms = (errors.item() for errors in crossings(full_sample(rank(scores[0], trials.is_bonafide))))
        low, high = exact_eer(misses, 400, false_alarms, 400, 0.95)
        hits += low <= 0.005 <= high
    assert hits >= 0.95 * 400


@pytest.mark.parametrize(
    ("by", "absent", "message"),
    [
        ("speaker", "speakers", "trials have no speakers; give them, or draw by='trial'"),
        ("speaker_and_attack", "attacks", "trials have no attacks"),
    ],
)
def test_labels_that_are_drawn_must_be_given(trials_and_scores, by, absent, message) -> None:
    trials, _ = trials_and_scores
    with pytest.raises(ValueError, match=message):
        design_of(replace(trials, **{absent: None}), by)


@pytest.mark.parametrize(("by", "what"), [("speaker", "speaker"), ("speaker_and_attack", "speaker and attack")])
def test_a_single_cluster_has_no_interval(trials_and_scores, by, what) -> None:
    trials, _ = trials_and_scores
    one = replace(trials, attacks=np.zeros_like(trials.attacks)) if by != "speaker" else trials
    one = replace(one, speakers=np.zeros_like(trials.speakers)) if by == "speaker" else one
    with pytest.raises(ValueError, match=f"all trials of a key come from one {what}; resampling needs at least two"):
        design_of(one, by)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "utterance"}, "by is 'utterance'; what is drawn must be one of trial, speaker, speaker_and_attack"),
        ({"resamples": 0}, "resamples is 0; at least 1"),
        ({"level": 95}, "level is 95; it must be between 0 and 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        BootstrapSettings(**settings)


def test_trials_and_labels_must_agree() -> None:
    with pytest.raises(ValueError, match=r"speakers has shape \(2,\), is_bonafide \(3,\)"):
        Trials(np.array([True, False, True]), np.array(["a", "b"]))
    with pytest.raises(ValueError, match="is_bonafide is int64"):
        Trials(np.array([1, 0]))


@pytest.mark.long
@pytest.mark.parametrize(
    ("population", "by", "least", "most"),
    [
        (Population(0.15, 30, 8), "trial", 0.95, 0.95),
        (Population(0.15, 30, 8, speaker_share=0.4), "speaker", 0.92, 0.97),
        (Population(0.15, 30, 8, speaker_share=0.4), "trial", 0.5, 0.8),  # speakers differ, and the draws ignore it
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(population, by, least, most) -> None:
    data_sets = 150
    share = coverage(population, by, generator(), data_sets=data_sets, resamples=150)["eer"]
    tolerance = [stats.binom.ppf(0.001, data_sets, least), stats.binom.ppf(0.999, data_sets, most)]
    assert tolerance[0] <= share * data_sets <= tolerance[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("population", "by", "least", "most"),
    [
        (Population(0.1, 50, 20), "trial", 0.94, 0.96),
        (Population(0.1, 50, 20, speaker_share=0.25), "trial", 0.6, 0.8),
        (Population(0.1, 50, 20, speaker_share=0.25), "speaker", 0.93, 0.97),
        (Population(0.1, 10, 50, speaker_share=0.25), "speaker", 0.92, 0.97),
        (Population(0.1, 20, 10, speaker_share=0.1, attacks=7, attack_share=0.2), "speaker", 0.3, 0.8),
        (Population(0.1, 20, 10, speaker_share=0.1, attacks=7, attack_share=0.2), "speaker_and_attack", 0.92, 1.0),
    ],
)
def test_intervals_of_full_size_hold_the_truth_as_often_as_they_say(population, by, least, most) -> None:
    share = coverage(population, by, generator(), data_sets=400)["eer"]
    assert stats.binom.ppf(0.001, 400, least) <= share * 400 <= stats.binom.ppf(0.999, 400, most)
