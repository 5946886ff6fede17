"""The arithmetic of the training benchmark, and that both of its ways do the same work."""

import argparse
from pathlib import Path

import pytest
import torch

from benchmarks import training as benchmark  # noqa: E402
from benchmarks.training import OFFICIAL, ON_DISK, STREAMED, Cost  # noqa: E402

OPTIONS = argparse.Namespace(utterances=2, batch_size=2, workers=0, repetitions=1, small=True)


def test_the_ratio_is_the_median_over_pairs() -> None:
    theirs, ours = ([Cost(value) for value in values] for values in ([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]))
    assert benchmark.ratio(theirs, ours) == 3.0


def test_features_are_computed_once_unless_they_are_streamed() -> None:
    once, epoch = {way: [Cost(5.0)] for way in (OFFICIAL, ON_DISK, STREAMED)}, {OFFICIAL: [Cost(1.0)]}
    epoch |= {ON_DISK: [Cost(0.5)], STREAMED: [Cost(2.0)]}
    total = benchmark.whole_training(once, epoch)
    assert {way: costs[0].seconds for way, costs in total.items()} == {
        OFFICIAL: 15.0,
        ON_DISK: 10.0,
        STREAMED: 20.0,
    }


@pytest.mark.parametrize(("prepare", "ways"), [("mel_ways", 2), pytest.param("ssl_ways", 3, marks=pytest.mark.long)])
def test_every_way_is_measured(prepare: str, ways: int, tmp_path: Path) -> None:
    recordings = benchmark.record(tmp_path / "speech", 2)
    plan = getattr(benchmark, prepare)(recordings, tmp_path / "ways", torch.device("cpu"), OPTIONS)
    assert len(plan.features) == len(plan.bytes_an_utterance) == ways
    text = benchmark.table(plan, OPTIONS, torch.device("cpu"))
    assert text.count("| features, once; ours") == ways - 1
    assert text.count("SAM, features and 10 epochs") == ways - 1


def test_ways_that_compute_other_features_are_not_compared() -> None:
    features = torch.ones(2, 3, 4)
    benchmark.require_same(iter([features]), iter([features + 1e-6]))
    with pytest.raises(RuntimeError, match="the features of the two ways differ by 0.01 of their norm"):
        benchmark.require_same(iter([features]), iter([1.01 * features]))
