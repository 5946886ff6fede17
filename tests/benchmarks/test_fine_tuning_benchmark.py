"""The benchmark of fine-tuning: what it counts, and its table."""

import argparse

import pytest

from benchmarks import fine_tuning as benchmark
from benchmarks.fine_tuning import Cost

OPTIONS = argparse.Namespace(small=True, batch_size=1, repetitions=1)


def test_the_table_compares_every_way_with_the_first() -> None:
    text = benchmark.table({"frozen": Cost(1.0, 500.0, 1e9, 10**6), "all": Cost(3.0, 2000.0, 2.5e9, 3 * 10**6)})
    assert text.splitlines()[2:] == [
        "| frozen | 1.0 | 1.00 | 1.00 | 1.00 | 1 |",
        "| all | 3.0 | 3.00 | 4.00 | 2.50 | 2 |",
    ]


@pytest.mark.long
def test_the_more_blocks_train_the_more_operations_a_step_has() -> None:
    costs = {way: benchmark.measured(way, OPTIONS) for way in benchmark.WAYS}
    operations = [cost.flops for cost in costs.values()]
    assert operations == sorted(operations)
    weights = [cost.trained_weights for cost in costs.values()]
    assert weights[0] < weights[1] < weights[2] == weights[3]
