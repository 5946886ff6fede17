"""Metrics of a regression, from true and predicted values `[N]`. NaN where a metric has no value."""

from collections.abc import Callable

import numpy as np

RegressionMetric = Callable[[np.ndarray, np.ndarray], float]


def mean_absolute_error(true: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.abs(predicted - true).mean())


def root_mean_squared_error(true: np.ndarray, predicted: np.ndarray) -> float:
    return float(np.sqrt(np.square(predicted - true).mean()))


def r_squared(true: np.ndarray, predicted: np.ndarray) -> float:
    """1 - the squared errors / those of the mean of `true`, which no model knows; NaN if all true values are equal."""
    total = np.square(true - true.mean()).sum()
    return float(1 - np.square(predicted - true).sum() / total) if np.ptp(true) > 0 else float("nan")


def pearson(true: np.ndarray, predicted: np.ndarray) -> float:
    """The linear correlation, in [-1, 1]; NaN if either side is constant."""
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(np.corrcoef(true, predicted)[0, 1])


def spearman(true: np.ndarray, predicted: np.ndarray) -> float:
    """The correlation of ranks, with mean ranks for ties; NaN as `pearson`."""
    from scipy.stats import rankdata

    return pearson(rankdata(true), rankdata(predicted))


METRICS: dict[str, RegressionMetric] = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r_squared,
    "pearson": pearson,
    "spearman": spearman,
}
