"""Every training set under every condition at a glance, like the cross-testing in Wu et al. 2024, Fig. 2."""

from collections.abc import Mapping
from dataclasses import dataclass

from codecfake.corpora.listing import UNKNOWN_ATTACK
from codecfake.report.answer import Cell, EerTable, Row
from codecfake.report.contrast import Contrast, Group
from codecfake.report.exposure import IN_TRAINING, OTHER_SETTINGS, UNKNOWN, Exposure, Spoofs
from codecfake.report.materials import CodecRow
from codecfake.report.means import cells_of, counted_rows, mean_of

MARKS = {IN_TRAINING: "●", OTHER_SETTINGS: "◐"}
MOST_LINES = 24  # with more, lines of single detectors are folded


@dataclass(frozen=True)
class MatrixColumn:
    name: str
    label: str
    is_average: bool


@dataclass(frozen=True)
class MatrixCell:
    """`eer` is None where a training set has no such conditions."""

    eer: Cell | None
    exposure: str = ""

    @property
    def mark(self) -> str:
        return MARKS.get(self.exposure, "")


@dataclass(frozen=True)
class MatrixRow:
    """A training set, as a mean over detectors, or one of its detectors."""

    trained_on: str  # the training set, and the strategy where there are several; "" for a detector of the row above
    detector: str
    random_front_end: bool
    cells: list[MatrixCell]

    @property
    def is_main(self) -> bool:
        return bool(self.trained_on)


@dataclass(frozen=True)
class Matrix:
    columns: list[MatrixColumn]
    rows: list[MatrixRow]  # in the order of the tables

    @property
    def main_rows(self) -> list[MatrixRow]:
        return [row for row in self.rows if row.is_main]

    @property
    def is_long(self) -> bool:
        return len(self.rows) > MOST_LINES

    @property
    def legend(self) -> set[str]:
        """The marks that it shows."""
        return {cell.mark for row in self.rows for cell in row.cells if cell.mark}

    @property
    def has_unknown(self) -> bool:
        """Whether it has released detectors whose training data are not known."""
        return any(cell.exposure == UNKNOWN for row in self.rows for cell in row.cells)

    @property
    def intervals(self) -> list[Cell]:
        """Cells of main rows that have an interval."""
        cells = (cell.eer for row in self.main_rows for cell in row.cells)
        return [cell for cell in cells if cell is not None and cell.interval is not None]

    @property
    def has_inverted(self) -> bool:
        return any(cell.eer is not None and cell.eer.inverted for row in self.main_rows for cell in row.cells)


def matrix(
    tables: list[EerTable],
    exposure: Exposure,
    contrast: Contrast | None,
    averages: Mapping[str, list[str]],
    labels: Mapping[str, str],
) -> Matrix:
    """Means over detectors, then each detector; first the columns that the headline compares, then the averages.

    `labels` has a few words for each condition.
    """
    sets = [table.training_set for table in tables]
    groups = _groups(sets, list(exposure.evaluated), contrast, averages)
    columns = [MatrixColumn(group.name, labels.get(group.name, "mean"), group.is_average) for group in groups]
    strategies = {table.strategy for table in tables}
    rows = [row for table in tables for row in _rows(table, groups, exposure, len(strategies) > 1)]
    if contrast and len(contrast.with_codecs) > 1:
        rows.append(_mean_row(contrast, groups))
    return Matrix(columns, rows)


def labels_of(exposure: Exposure, codecs: list[CodecRow], controls: list[str]) -> dict[str, str]:
    """Condition -> what its spoofs are: `encodec, 6 kbit/s`, or the name of an attack such as `VALL-E`."""
    coded = {row.source: row.label for row in codecs}
    return {name: _label(spoofs, coded, controls) for name, spoofs in exposure.evaluated.items()}


def _label(spoofs: Spoofs, coded: Mapping[str, str], controls: list[str]) -> str:
    if spoofs.attacks <= set(controls):
        return "control"
    attacks = sorted(spoofs.attacks)
    if spoofs.others_coded and not spoofs.codecs:
        return "coded spoofs"
    if not spoofs.all_coded:
        uncoded = attacks[0] if len(attacks) == 1 and attacks[0] != UNKNOWN_ATTACK else "no codec"
        return "not only codecs" if spoofs.codecs else uncoded
    return coded[attacks[0]] if len(attacks) == 1 else f"{len(attacks)} codec sources"


def _groups(
    sets: list[str], conditions: list[str], contrast: Contrast | None, averages: Mapping[str, list[str]]
) -> list[Group]:
    means = [Group(name, dict.fromkeys(sets, tuple(of)), True) for name, of in averages.items() if len(of) > 1]
    single = [Group(name, dict.fromkeys(sets, (name,)), False) for name in conditions]
    names = {group.name for group in (*means, *single)}
    compared = (contrast.familiar, contrast.new) if contrast else ()
    return [group for group in compared if group.num_conditions and group.name not in names] + means + single


def _rows(table: EerTable, groups: list[Group], exposure: Exposure, with_strategy: bool) -> list[MatrixRow]:
    counted = counted_rows(table)
    name = f"{table.training_set}, {table.strategy}" if with_strategy else table.training_set
    who = counted[0].detector if len(counted) == 1 else f"mean of {len(counted)} detectors"
    rows = [MatrixRow(name, who, counted[0].random_front_end, _cells(table, counted, groups, exposure))]
    others = [row for row in table.rows if counted != [row]]
    cells = [_cells(table, [row], groups, exposure) for row in others]
    details = zip(others, cells, strict=True)
    return rows + [MatrixRow("", row.detector, row.random_front_end, of_row) for row, of_row in details]


def _cells(table: EerTable, rows: list[Row], groups: list[Group], exposure: Exposure) -> list[MatrixCell]:
    cells = []
    for group in groups:
        conditions = group.of(table.training_set)
        eers = [cell for row in rows for cell in cells_of(table, row, conditions)]
        kind = exposure.of_all(table.training_set, conditions)
        cells.append(MatrixCell(mean_of(eers) if eers else None, kind))
    return cells


def _mean_row(contrast: Contrast, groups: list[Group]) -> MatrixRow:
    """The mean over all training sets with codec fakes, which the headline gives."""
    cells = [MatrixCell(contrast.mean_eer(group)) for group in groups]
    names = contrast.detectors
    who = names[0] if len(names) == 1 else f"{len(names)} detectors"
    return MatrixRow(f"mean of {len(contrast.with_codecs)} training sets", who, contrast.is_random, cells)
