"""The bootstrap over speakers of any metric."""

import numpy as np
import pytest

from codecfake.statistics.cluster_bootstrap import TrialMetric, bootstrap
from codecfake.statistics.intervals import BootstrapSettings, Interval

SETTINGS = BootstrapSettings(resamples=400)
SPEAKERS = np.repeat([f"s{number}" for number in range(20)], 10)


def interval_of_mean(values: np.ndarray, speakers: np.ndarray = SPEAKERS, is_share: bool = False) -> Interval:
    metric = TrialMetric(lambda trials: float(values[trials].mean()), is_share)
    return bootstrap({"mean": metric}, speakers, SETTINGS, np.random.default_rng(5))["mean"]


def test_trials_of_a_speaker_that_are_all_alike_count_once() -> None:
    """The half width is Student's for 20 speakers, whatever the number of their trials."""
    of_speakers = np.random.default_rng(1).normal(size=20)
    interval = interval_of_mean(np.repeat(of_speakers, 10))
    expected = 2.093 * of_speakers.std(ddof=1) / np.sqrt(20)
    assert (interval.high - interval.low) / 2 == pytest.approx(expected, rel=0.15)
    assert interval.low < of_speakers.mean() < interval.high


def test_bounds_of_a_share_stay_between_0_and_1() -> None:
    interval = interval_of_mean((np.arange(200) >= 3).astype(float), is_share=True)
    assert 0 < interval.low < 0.985 < interval.high < 1


def test_one_speaker_and_metrics_without_a_value_have_no_bounds() -> None:
    one = interval_of_mean(np.arange(200.0), np.full(200, "s1"))
    assert np.isnan(one.low)
    assert one.note == "all trials come from one speaker; resampling needs at least two"
    none = interval_of_mean(np.full(200, np.nan))
    assert np.isnan(none.high)
    assert none.note == "400 of 400 resamples have no value"


def test_few_speakers_are_noted() -> None:
    assert interval_of_mean(np.arange(50.0), SPEAKERS[:50]).note == "few clusters (5)"
