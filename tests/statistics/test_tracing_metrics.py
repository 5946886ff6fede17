"""Metrics of source tracing: equal to scikit-learn's, and at chance where sources cannot be told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_auc_score, roc_curve

from codecfake.statistics import tracing

NUM_CLASSES = 4
INDICES = st.lists(st.tuples(*[st.integers(0, NUM_CLASSES - 1)] * 2), min_size=1, max_size=40)
CONFIDENCES = st.lists(st.integers(0, 12).map(lambda number: number / 12), min_size=1, max_size=60)


@given(INDICES)
def test_closed_set_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    classes, predictions = np.array(pairs).T
    counts, labels = tracing.confusion(classes, predictions, NUM_CLASSES), range(NUM_CLASSES)
    assert counts.tolist() == confusion_matrix(classes, predictions, labels=labels).tolist()
    assert tracing.accuracy(counts) == pytest.approx(accuracy_score(classes, predictions))
    f1 = f1_score(classes, predictions, labels=labels, average="macro", zero_division=0)
    assert tracing.macro_f1(counts) == pytest.approx(f1)


@given(CONFIDENCES, CONFIDENCES)
def test_open_set_metrics_are_those_of_scikit_learn(of_classes: list[float], unseen: list[float]) -> None:
    is_seen, values = [1] * len(of_classes) + [0] * len(unseen), of_classes + unseen
    assert tracing.auroc(np.array(of_classes), np.array(unseen)) == pytest.approx(roc_auc_score(is_seen, values))
    false, true, _ = roc_curve(is_seen, values, drop_intermediate=False)
    first = int(np.argmax(true >= 0.95 - 1e-9))
    assert tracing.false_positive_rate(np.array(of_classes), np.array(unseen)) == pytest.approx(false[first])


@given(CONFIDENCES)
def test_sources_of_the_same_audio_are_told_apart_by_chance(scores: list[float]) -> None:
    """A control's fakes have the confidences of the recordings, and each pair of them has one prediction."""
    values = np.array(scores)
    assert tracing.auroc(values, values) == pytest.approx(0.5)
    predictions = (values > 0.5).astype(int)
    classes = np.repeat([0, 1], len(values))
    assert tracing.accuracy(tracing.confusion(classes, np.tile(predictions, 2), 2)) == 0.5


def test_the_confidence_is_the_largest_softmax_probability_however_large_the_logits() -> None:
    logits = np.array([[0.0, np.log(3.0)], [1000.0, 1000.0], [-1000.0, 1000.0]])
    assert tracing.confidences(logits) == pytest.approx([0.75, 0.5, 1.0])
