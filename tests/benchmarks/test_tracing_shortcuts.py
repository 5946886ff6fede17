"""What trivial features alone say about sources: everything if levels differ, nothing beyond chance if nothing does."""

import numpy as np
import pytest

from benchmarks import tracing_shortcuts

NUM_CLASSES, NUM_SPEAKERS = 4, 40
CLASSES = np.tile(np.arange(NUM_CLASSES), NUM_SPEAKERS)
SPEAKERS = np.repeat([f"s{number:02d}" for number in range(NUM_SPEAKERS)], NUM_CLASSES)


def test_sources_that_differ_in_one_feature_are_told_apart_in_spite_of_constant_ones() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(len(CLASSES), 2))
    features = np.column_stack([10 * CLASSES + noise[:, 0], noise[:, 1], np.full(len(CLASSES), 16.0)])
    assert tracing_shortcuts.accuracy(features, CLASSES, SPEAKERS) == 1


def test_equal_files_of_all_sources_are_at_chance() -> None:
    of_speakers = np.random.default_rng(2).normal(size=(NUM_SPEAKERS, 3))
    features = np.repeat(of_speakers, NUM_CLASSES, axis=0)
    assert tracing_shortcuts.accuracy(features, CLASSES, SPEAKERS) == pytest.approx(1 / NUM_CLASSES)


def test_every_feature_is_in_a_group_that_the_table_shows() -> None:
    in_groups = {feature for name, group in tracing_shortcuts.GROUPS.items() if name != "all" for feature in group}
    assert set(tracing_shortcuts.NAMES) - in_groups == {"shared_rms", "shared_peak"}  # which need the whole arm
