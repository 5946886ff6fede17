"""Every model under every condition at a glance, like the cross-testing in Wu et al. 2024, Fig. 2."""

from dataclasses import dataclass

from codecfake.report.answer import Cell, EerTable


@dataclass(frozen=True)
class MatrixCell:
    eer: Cell
    unseen: bool  # no spoof of this kind was in the training data


@dataclass(frozen=True)
class MatrixRow:
    trained_on: str  # the training set, and the strategy where there are several
    detector: str
    random_front_end: bool
    cells: list[MatrixCell]


@dataclass(frozen=True)
class Matrix:
    columns: list[str]
    rows: list[MatrixRow]  # in the order of the tables


def matrix(tables: list[EerTable]) -> Matrix | None:
    """All tables in one; None for a single table, which shows the same."""
    if len(tables) < 2:
        return None
    strategies = {table.strategy for table in tables}
    columns = [column.name for column in tables[0].columns if not column.is_average]
    rows = [
        MatrixRow(
            table.training_set if len(strategies) == 1 else f"{table.training_set}, {table.strategy}",
            row.detector,
            row.random_front_end,
            [
                MatrixCell(cell, column.unseen)
                for column, cell in zip(table.columns, row.cells, strict=True)
                if not column.is_average
            ],
        )
        for table in tables
        for row in table.rows
    ]
    return Matrix(columns, rows)
