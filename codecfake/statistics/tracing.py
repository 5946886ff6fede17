"""Metrics of source tracing: which class a trial is from, and whether it is from any of them.

A trial's confidence is higher if the classifier is surer that the trial is from one of its classes.
"""

from collections.abc import Callable

import numpy as np

from codecfake.statistics import metrics

TRUE_POSITIVE_RATE = 0.95  # of the false positive rate that papers report
OpenSetMetric = Callable[[np.ndarray, np.ndarray], float]  # of the confidences of seen and of unseen trials


def confusion(classes: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Numbers of trials `[C, C]` by class (rows) and prediction (columns), of class indices `[N]`."""
    counts = np.zeros((num_classes, num_classes), dtype=int)
    np.add.at(counts, (classes, predictions), 1)
    return counts


def accuracy(counts: np.ndarray) -> float:
    """The share of trials whose class is predicted, in [0, 1]; NaN without trials."""
    return float(np.trace(counts) / counts.sum()) if counts.sum() else float("nan")


def macro_f1(counts: np.ndarray) -> float:
    """The mean of 2 TP / (2 TP + FP + FN) over all classes, in [0, 1]; 0 for a class without trials and predictions."""
    hits = np.diag(counts)
    totals = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.divide(2 * hits, totals, out=np.zeros(len(hits)), where=totals > 0).mean())


def confidences(logits: np.ndarray) -> np.ndarray:
    """The largest softmax probability `[N]` of logits `[N, C]`, the baseline of Hendrycks and Gimpel (2017)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return 1 / np.exp(shifted).sum(axis=1)


def auroc(of_classes: np.ndarray, unseen: np.ndarray) -> float:
    """The share of pairs in which a trial of a seen source has the higher confidence; a tie counts half.

    Raises ValueError if either set is empty or has a confidence that is not finite.
    """
    return metrics.roc_auc(of_classes, unseen)


def false_positive_rate(
    of_classes: np.ndarray, unseen: np.ndarray, true_positive_rate: float = TRUE_POSITIVE_RATE
) -> float:
    """The share of unseen trials at or above the highest threshold that at least this share of seen trials reaches."""
    num_reached = max(1, int(np.ceil(true_positive_rate * len(of_classes) - 1e-9)))
    return float(np.mean(unseen >= np.sort(of_classes)[len(of_classes) - num_reached]))
