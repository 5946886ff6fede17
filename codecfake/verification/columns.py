"""What stands in the columns of a table: labels, digits, numbers, phases, and names that differ."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from codecfake.base.text_tables import CellError
from codecfake.verification.cells import split
from codecfake.verification.words import digit, is_bonafide, logit_difference, number, phase

MOST = 0.5  # the share of cells that makes a column one of labels, numbers or phases; the rest are faults of the file
NEARLY_ALL = 0.99  # of the names in the column with the most: the others may be repeated by mistake


@dataclass(frozen=True)
class Table:
    """The lines of the usual width, as columns of cells."""

    columns: list[tuple[str, ...]]

    @property
    def num_lines(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def cells(self, column: int) -> tuple[str, ...]:
        return self.columns[column]

    @cached_property
    def words(self) -> list[int]:
        """Columns of labels; those with both keys only, where there are any: attacks may be called bona fide too."""
        columns = self._mostly(lambda cell: is_bonafide(cell, None) is not None)
        both = [
            column for column in columns if len({is_bonafide(cell, None) for cell in self.cells(column)} - {None}) > 1
        ]
        return both or columns

    @cached_property
    def with_labels(self) -> list[int]:
        """Columns with any label, such as attacks that are called bona fide."""
        return [
            column
            for column, cells in enumerate(self.columns)
            if any(is_bonafide(cell, None) is not None for cell in set(cells))
        ]

    @cached_property
    def digits(self) -> list[int]:
        """Columns of 0 and 1, False and True."""
        return self._mostly(lambda cell: digit(cell) is not None, 1.0)

    @cached_property
    def numbers(self) -> list[int]:
        """Columns of numbers or of two logits; without those that count the lines, if there are others."""
        columns = sorted({*self._mostly(lambda cell: number(cell) is not None), *self.logits})
        return [column for column in columns if column not in self.counters] or columns

    @cached_property
    def logits(self) -> list[int]:
        """Columns of two logits in a cell."""
        return self._mostly(lambda cell: logit_difference(cell, 1) is not None)

    @cached_property
    def counters(self) -> list[int]:
        """Columns that count the lines."""
        return [column for column in range(len(self.columns)) if _are_consecutive(self.cells(column)[:100])]

    @cached_property
    def phases(self) -> list[int]:
        return self._mostly(lambda cell: phase(cell) is not None)

    def with_most_names(self, columns: Iterable[int]) -> list[int]:
        """Those with nearly as many different cells as the column with the most; in the order given."""
        counts = {column: len(set(self.cells(column))) for column in columns}
        least = NEARLY_ALL * max(counts.values(), default=0)
        return [column for column, count in counts.items() if count >= least]

    def agree(self, first: int, second: int) -> bool:
        """Whether two columns of labels or digits say the same in every line."""
        return list(map(_meaning, self.cells(first))) == list(map(_meaning, self.cells(second)))

    def repeats_key(self, column: int, key: int) -> bool:
        """Whether a column of digits says the same as one of labels, either way round."""
        if column not in self.digits:
            return False
        pairs = zip(self.cells(column), self.cells(key), strict=True)
        values = {(digit(one), is_bonafide(other, None)) for one, other in pairs}
        return len(values) == 2 and len({one for one, _ in values}) == 2 == len({other for _, other in values})

    def _mostly(self, has_sense: Callable[[str], bool], share: float = MOST) -> list[int]:
        if not self.num_lines:
            return []
        counts = [sum(map(has_sense, cells)) for cells in self.columns]
        return [column for column, count in enumerate(counts) if count >= share * self.num_lines]


def table(lines: Sequence[str], delimiter: str, width: int | None = None) -> Table | None:
    """The lines of this width, by default the most frequent one; None if they are few, or have one column."""
    rows = [row for line in lines if (row := split_or_none(line, delimiter))]
    widths = Counter(len(row) for row in rows)
    if not widths:
        return None
    usual = width or max(widths, key=lambda size: (widths[size], size))
    if usual < 2 or widths[usual] < MOST * len(lines):
        return None
    return Table(list(zip(*(row for row in rows if len(row) == usual), strict=True)))


def split_or_none(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line; None if a quotation mark is not closed."""
    try:
        return split(line, delimiter)
    except CellError:
        return None


def _meaning(cell: str) -> tuple[bool | None, str | None]:
    return is_bonafide(cell, None), digit(cell)


def _are_consecutive(cells: Sequence[str]) -> bool:
    if len(cells) < 3 or not all(cell.isdecimal() for cell in cells):
        return False
    return all(int(second) - int(first) == 1 for first, second in pairwise(cells))
