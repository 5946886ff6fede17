"""Batches of recordings: a GPU needs many samples at once, but padding must not change a code.

Recordings of equal length always share batches. Those of similar length do so if the codec is causal, or knows where
rows end: each is padded to the longest with zeros, and its output is cut to its own length.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

MOST_PADDING = 0.1  # the largest part of a recording's row that may be padding


@dataclass(frozen=True)
class PaddedLengths:
    """Seconds: recordings that are longer than `shortest`, and no longer than `longest`, may be padded."""

    shortest: float
    longest: float


def batches(rows: pd.DataFrame, batch_duration: float, padded: PaddedLengths | None = None) -> Iterator[list[Any]]:
    """Batches of rows with equal rate, of at most `batch_duration` seconds with the padding, or of one row.

    Without `padded`, all rows of a batch have one length. The order of rows does not depend on the durations: with
    `padded`, the longest come first, so that similar ones meet, and a lack of memory shows at once.
    """
    batch: list[Any] = []
    for row in _by_length(rows) if padded is None else _longest_first(rows):
        if batch and not _fits(row, batch, batch_duration, padded):
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


def _longest_first(rows: pd.DataFrame) -> Iterator[Any]:
    return rows.sort_values(["sample_rate", "num_samples"], ascending=False, kind="stable").itertuples(index=False)


def _fits(row: Any, batch: list[Any], batch_duration: float, padded: PaddedLengths | None) -> bool:
    lengths = [each.num_samples for each in (*batch, row)]
    return (
        row.sample_rate == batch[0].sample_rate
        and (min(lengths) == max(lengths) or _are_similar(lengths, row.sample_rate, padded))
        and len(lengths) * max(lengths) <= batch_duration * row.sample_rate
    )


def _are_similar(lengths: list[int], sample_rate: int, padded: PaddedLengths | None) -> bool:
    if padded is None:
        return False
    shortest, longest = min(lengths), max(lengths)
    may_be_padded = padded.shortest * sample_rate < shortest and longest <= padded.longest * sample_rate
    return may_be_padded and shortest >= (1 - MOST_PADDING) * longest
