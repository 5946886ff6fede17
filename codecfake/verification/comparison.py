"""Compares printed numbers with recomputed ones: matches them, and finds patterns in their differences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from codecfake.verification.cross_checks import Copies
from codecfake.verification.error_rates import ErrorRate
from codecfake.verification.faults import FAULT, NOTE, Finding, quantity
from codecfake.verification.printed import LABELS, Cell, condition_key, is_about
from codecfake.verification.reading import ScoreFile, VerificationError
from codecfake.verification.verdicts import (
    DIFFERENT,
    HOLDING,
    NOT_COMPUTABLE,
    ROUNDED,
    TRUNCATED,
    Verdict,
    agreement,
    decimals,
    judge,
)


@dataclass(frozen=True)
class FileResult:
    """A score file and its error rate; without one, `why` has the reason."""

    model: str
    condition: str
    path: str  # relative to the folder that is verified
    form: str
    file: ScoreFile
    rate: ErrorRate | None
    why: str

    @property
    def where(self) -> str:
        return f"{self.model}/{self.condition}"


@dataclass(frozen=True)
class Line:
    """A printed number and its verdict, or (without a cell) a file without a printed number."""

    model: str
    condition: str
    rate: ErrorRate | None
    cell: Cell | None
    verdict: Verdict | None


def compare(
    results: list[FileResult], cells: list[Cell], folders: Mapping[str, Mapping[str, str]]
) -> tuple[list[Line], list[Finding]]:
    """A line for every cell and each of its folders, and for every file without a printed number.

    Raises VerificationError if a cell names no model and there are several.
    """
    models = list(dict.fromkeys(one.model for one in results))
    _require_names(cells, models)
    lines: list[Line] = []
    unscored: dict[tuple[str, str], int] = {}
    for cell in cells:
        of_cell = [model for model in models if not cell.labels or is_about(cell, model, folders)]
        if not of_cell:
            unscored[cell.table, cell.model] = unscored.get((cell.table, cell.model), 0) + 1
        for model in of_cell:
            lines.append(_line(cell, model, [one for one in results if one.model == model], cells))
    lines_of = {(line.model, condition_key(line.condition)) for line in lines}
    lines += [_line_without_cell(one) for one in results if (one.model, condition_key(one.condition)) not in lines_of]
    no_scores = [_no_scores(table, model, count) for (table, model), count in unscored.items()]
    return lines, [*no_scores, *_mixed_rounding(lines)]


def _require_names(cells: list[Cell], models: list[str]) -> None:
    nameless = [cell for cell in cells if not cell.labels]
    if nameless and len(models) > 1:
        raise VerificationError(
            f"{nameless[0].printed} is printed for {nameless[0].condition} without a model, but there are scores of "
            f"{', '.join(models)}; name it in a column {' or '.join(LABELS[:2])}"
        )


def _line(cell: Cell, model: str, results: list[FileResult], cells: list[Cell]) -> Line:
    if cell.is_average:
        return Line(model, cell.condition, None, cell, _average_verdict(cell, results, cells))
    one = next((one for one in results if condition_key(one.condition) == condition_key(cell.condition)), None)
    if one is None:
        reason = f"no score file for this condition; files exist for {', '.join(other.condition for other in results)}"
        return Line(model, cell.condition, None, cell, Verdict(NOT_COMPUTABLE, reason))
    verdict = judge(cell.printed, one.rate) if one.rate else Verdict(NOT_COMPUTABLE, one.why)
    if verdict.name == DIFFERENT:
        verdict = Verdict(DIFFERENT, verdict.explanation + _equal_conditions(cell, results))
    return Line(model, one.condition, one.rate, cell, verdict)


def _equal_conditions(cell: Cell, results: list[FileResult]) -> str:
    """The conditions of the same model that have this rate: cells may have been swapped."""
    same = [one.condition for one in results if one.rate and agreement(cell.printed, one.rate.percent)]
    return f"; it equals the rate of {', '.join(same)}" if same else ""


def _average_verdict(cell: Cell, results: list[FileResult], cells: list[Cell]) -> Verdict:
    """Compares a printed mean with the mean of the rates in its row, each condition counted once."""
    of_row = [other for other in cells if (other.table, other.labels) == (cell.table, cell.labels)]
    row = [other for other in of_row if cell.is_mean_of(other)]
    rate_of = {condition_key(one.condition): one.rate for one in results}
    error_rates = [rate_of.get(condition_key(other.condition)) for other in row]
    percents = [rate.percent for rate in error_rates if rate]
    if not row or len(percents) < len(row):
        return Verdict(NOT_COMPUTABLE, f"mean of {len(row)} conditions, of which {len(percents)} have a rate")
    mean = sum(percents, Fraction(0)) / len(row)
    how = agreement(cell.printed, mean)
    if how:
        return Verdict(how, f"mean of {len(row)} conditions, equal by {'rounding' if how == ROUNDED else 'truncation'}")
    of_printed = sum((Fraction(other.printed) for other in row), Fraction(0)) / len(row)
    hint = "; it equals the mean of the printed numbers" if agreement(cell.printed, of_printed) else ""
    return Verdict(DIFFERENT, f"the mean of {len(row)} recomputed conditions is {float(mean):.4f}{hint}")


def _line_without_cell(one: FileResult) -> Line:
    verdict = None if one.rate else Verdict(NOT_COMPUTABLE, one.why)
    return Line(one.model, one.condition, one.rate, None, verdict)


def _no_scores(table: str, model: str, count: int) -> Finding:
    text = f"{quantity(count, 'printed number')} without scores here; name their folders with --folders"
    return Finding(NOTE, "no scores", f"table {table}, {model}" if table else model, text)


def _mixed_rounding(lines: list[Line]) -> Iterator[Finding]:
    """Tables with both rounded numbers (rounded up, so not truncated) and truncated ones."""
    habits: dict[str, dict[str, int]] = {}
    for line in lines:
        if line.cell and line.rate and line.verdict and line.verdict.name in HOLDING:
            rounded_up = Fraction(line.cell.printed) > line.rate.percent
            if line.verdict.name == TRUNCATED or rounded_up:
                counts = habits.setdefault(line.cell.table, {ROUNDED: 0, TRUNCATED: 0})
                counts[line.verdict.name] += 1
    for table, counts in habits.items():
        if min(counts.values()) > 0:
            rounded_numbers = f"{quantity(counts[ROUNDED], 'number')} can only be rounded"
            text = f"{rounded_numbers}, {counts[TRUNCATED]} only truncated: the table mixes both"
            yield Finding(NOTE, "rounding", f"table {table}", text)


def contradictions(cells: list[Cell], groups: list[Copies]) -> Iterator[Finding]:
    """Models with different printed numbers for conditions that some model scores identically."""
    for conditions in {group.conditions for group in groups}:
        names = {condition_key(condition) for condition in conditions}
        for labels in dict.fromkeys(cell.labels for cell in cells):
            own = {c.condition: c.printed for c in cells if c.labels == labels and condition_key(c.condition) in names}
            if own and _differ_beyond_rounding(list(own.values())):
                text = ", ".join(f"{condition} {printed}" for condition, printed in own.items())
                model = ", ".join(value for _, value in labels)
                yield Finding(
                    FAULT, "contradiction", model, f"printed {text}, but these conditions have the same fakes"
                )


def _differ_beyond_rounding(printed: list[str]) -> bool:
    """Whether numbers differ by more than one unit in the last place, the most that rounding and truncation explain."""
    unit = Fraction(1, 10 ** min(map(decimals, printed)))
    values = [Fraction(number) for number in printed]
    return max(values) - min(values) > unit
