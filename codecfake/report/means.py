"""Means of error rates over detectors and conditions, and whether two of them differ."""

import math
from collections.abc import Iterable, Sequence

from codecfake.report.answer import Cell, EerTable, Interval, Row

FEWER, MORE, NO_DIFFERENCE = "fewer", "more", "no difference"
METHOD = "mean of the bounds behind it"


def counted_rows(table: EerTable) -> list[Row]:
    """The detectors that count in means: not those with random front-ends, unless there are no others."""
    return [row for row in table.rows if not row.random_front_end] or table.rows


def eer_of(table: EerTable, conditions: Sequence[str], detectors: Iterable[str] = ()) -> Cell:
    """The mean over conditions and over detectors, by default over those that count."""
    names = set(detectors) or {row.detector for row in counted_rows(table)}
    rows = [row for row in table.rows if row.detector in names]
    return mean_of([cell for row in rows for cell in cells_of(table, row, conditions)])


def cells_of(table: EerTable, row: Row, conditions: Sequence[str]) -> list[Cell]:
    """The cells of a row under some conditions, in their order."""
    pairs = zip(table.columns, row.cells, strict=True)
    by_name = {column.name: cell for column, cell in pairs if not column.is_average}
    return [by_name[name] for name in conditions]


def mean_of(cells: Sequence[Cell]) -> Cell:
    """The mean of EERs, and of the bounds of their intervals if each has one.

    Errors of detectors and conditions on the same recordings are positively correlated, at most completely; then the
    means of the bounds are the bounds of the mean. With less correlation, this interval is too wide, not too narrow.
    """
    if len(cells) == 1:
        return cells[0]
    eer = math.fsum(cell.eer for cell in cells) / len(cells)
    return Cell(eer, None, min(cell.decimals for cell in cells), _mean_interval([cell.interval for cell in cells]))


def _mean_interval(intervals: Sequence[Interval | None]) -> Interval | None:
    present = [interval for interval in intervals if interval is not None]
    if len(present) < len(intervals):
        return None
    low, high = (
        math.fsum(bounds) / len(present) for bounds in zip(*((one.low, one.high) for one in present), strict=True)
    )
    note = next((one.note for one in present if one.unreliable), "")
    return Interval(low, high, present[0].level, METHOD, note)


def compare(first: Cell, second: Cell) -> str:
    """MORE: the first EER is higher by more than both intervals; FEWER: lower; NO_DIFFERENCE otherwise."""
    if first.interval is None or second.interval is None:
        return NO_DIFFERENCE
    if first.interval.low > second.interval.high:
        return MORE
    return FEWER if first.interval.high < second.interval.low else NO_DIFFERENCE
