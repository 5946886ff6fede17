"""Metrics of a regression: equal to those of scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from codecfake.statistics import regression

NUMBERS = st.integers(-8, 8).map(lambda number: number / 2)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40)


@given(PAIRS)
def test_metrics_are_those_of_scikit_learn_and_scipy(pairs: list[tuple[float, float]]) -> None:
    true, predicted = np.array(pairs).T
    assert regression.mean_absolute_error(true, predicted) == pytest.approx(mean_absolute_error(true, predicted))
    rmse = np.sqrt(mean_squared_error(true, predicted))
    assert regression.root_mean_squared_error(true, predicted) == pytest.approx(rmse)
    if len(set(true)) > 1:
        assert regression.r_squared(true, predicted) == pytest.approx(r2_score(true, predicted))
    if len(set(true)) > 1 and len(set(predicted)) > 1:
        assert regression.pearson(true, predicted) == pytest.approx(stats.pearsonr(true, predicted)[0], abs=1e-9)
        assert regression.spearman(true, predicted) == pytest.approx(stats.spearmanr(true, predicted)[0], abs=1e-9)


@pytest.mark.parametrize("name", ["r2", "pearson", "spearman"])
def test_one_true_value_has_no_correlation(name: str) -> None:
    assert np.isnan(regression.METRICS[name](np.full(5, 3.0), np.arange(5.0)))
