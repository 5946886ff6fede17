"""Batches of recordings: a GPU needs many samples at once, but padding must not change a result.

Recordings of equal length always share batches. Of a causal codec, recordings of similar length do so too: zeros after
a recording change nothing before them, so each is padded to the longest, and its output is cut to its own length.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

MOST_PADDING = 0.1  # the largest part of a recording's row that may be padding


def batches(rows: pd.DataFrame, batch_duration: float, longest_padded: float = 0.0) -> Iterator[list[Any]]:
    """Batches of rows with equal rate, of at most `batch_duration` seconds with the padding, or of one row.

    Rows of at most `longest_padded` seconds may differ in length. The order of rows does not depend on the durations.
    """
    batch: list[Any] = []
    for row in _by_length(rows):
        if batch and not _fits(row, batch, batch_duration, longest_padded):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _by_length(rows: pd.DataFrame) -> Iterator[Any]:
    """Rows of equal length and rate one after the other, in the order of the first of them."""
    same: dict[tuple[int, int], list[Any]] = {}
    for row in rows.itertuples(index=False):
        same.setdefault((row.num_samples, row.sample_rate), []).append(row)
    for group in same.values():
        yield from group


def _fits(row: Any, batch: list[Any], batch_duration: float, longest_padded: float) -> bool:
    lengths = [each.num_samples for each in (*batch, row)]
    shortest, longest = min(lengths), max(lengths)
    is_similar = shortest >= (1 - MOST_PADDING) * longest and longest <= longest_padded * row.sample_rate
    return (
        row.sample_rate == batch[0].sample_rate
        and (shortest == longest or is_similar)
        and len(lengths) * longest <= batch_duration * row.sample_rate
    )
