"""The ledger of a folder of score files: every rate counted again, beside what was printed, and what was found."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from codecfake.intervals import BootstrapSettings
from codecfake.verification import printed as published
from codecfake.verification.faults import (
    FAULT,
    NOTE,
    Finding,
    direction,
    file_findings,
    obstacles,
    protocol_findings,
)
from codecfake.verification.printed import Cell, plain, speaks_of
from codecfake.verification.rates import ErrorRate, drawn_interval, error_rate
from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores, with_keys
from codecfake.verification.siblings import Copies, Entry, copies, sibling_findings
from codecfake.verification.verdicts import (
    DIFFERENT,
    HOLDING,
    NOT_COMPUTABLE,
    ROUNDED,
    TRUNCATED,
    Verdict,
    agreement,
    judge,
)

SUFFIXES = ("", ".txt", ".tsv", ".csv", ".score", ".scores", ".out")
NO_SCORES = re.compile(r"(readme|license|licence|changelog)\b", re.IGNORECASE)
CONDITION_ENDS = re.compile(r"[_-](results?|scores?)$", re.IGNORECASE)


@dataclass(frozen=True)
class VerifySettings:
    """How scores are read and how sure their rates are."""

    level: float = 0.95
    resamples: int = 0  # of a bootstrap over trials; 0: exact bounds, which need no draws
    bonafide_digit: str = "1"  # the one of the labels 0 and 1 that is bona fide


@dataclass(frozen=True)
class Judged:
    """A score file and its rate; without one, `why` says what stands in the way."""

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
    """One printed number and what it is worth, or (without a cell) a file of which none was printed."""

    model: str
    condition: str
    rate: ErrorRate | None
    cell: Cell | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Ledger:
    judged: list[Judged]
    lines: list[Line]
    findings: list[Finding]
    unread: list[str] = field(default_factory=list)  # files that were left out, by their names

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong: no fault, and every printed number follows from the scores."""
        return not any(finding.severity == FAULT for finding in self.findings) and all(
            line.verdict is None or line.verdict.name in HOLDING for line in self.lines
        )


def verify(
    root: Path,
    table: Path | None = None,
    protocols: Sequence[Path] = (),
    folders: Path | None = None,
    settings: VerifySettings | None = None,
) -> Ledger:
    """Judge every score file under `root` (or that one file), and the printed numbers of `table`.

    `folders` says what `table` calls the folders of scores (`printed.read_folders`).

    Raises VerificationError if there is no score file, or a table or protocol cannot be read.
    """
    settings = settings or VerifySettings()
    keys = [read_protocol(path, settings.bonafide_digit) for path in protocols]
    given = {path.resolve() for path in (table, folders, *protocols) if path}
    found, unread = _score_files(root, given)
    judged, findings = [], []
    for path in found:
        where = path.name if path == root else path.relative_to(root).as_posix()
        try:
            file = read_scores(path, settings.bonafide_digit)
        except VerificationError as error:
            findings.append(Finding(FAULT, "unrecognized", where, str(error).removeprefix(f"{path}:").strip()))
            continue
        one, its_findings = _judged(file, where, root, keys, settings)
        judged.append(one)
        findings += its_findings
    entries = [Entry(one.model, one.condition, one.file) for one in judged if one.rate]
    findings += sibling_findings(entries)
    cells = published.read_cells(table) if table else []
    lines, more = _lines(judged, cells, published.read_folders(folders) if folders else {})
    findings += [*more, *_mixed_rounding(lines), *_contradictions(cells, copies(entries))]
    return Ledger(judged, lines, sorted(set(findings)), unread)


def choose_protocol(file: ScoreFile, protocols: Sequence[ScoreFile]) -> ScoreFile | None:
    """The protocol named as the file; for a file without keys, else the only one."""
    names = (file.path.stem, condition_of(file.path))
    named = [protocol for protocol in protocols if protocol.path.stem in names]
    if named:
        return named[0]
    return protocols[0] if len(protocols) == 1 and file.bonafide is None else None


def condition_of(path: Path) -> str:
    """The condition that a file is named after: C1 of `C1.tsv` and of `C1_result.txt`."""
    return CONDITION_ENDS.sub("", path.stem)


def _score_files(root: Path, given: set[Path]) -> tuple[list[Path], list[str]]:
    if not root.exists():
        raise VerificationError(f"{root}: no such file or folder; name a folder of score files")
    paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    paths = [path for path in paths if path.resolve() not in given and not path.name.startswith(".")]
    scores = [path for path in paths if path.suffix.lower() in SUFFIXES and not NO_SCORES.match(path.name)]
    if not scores:
        raise VerificationError(f"{root}: no score file among {len(paths)} files; names end in {' '.join(SUFFIXES)}")
    return scores, [path.relative_to(root).as_posix() for path in paths if path not in scores]


def _judged(
    file: ScoreFile, where: str, root: Path, protocols: Sequence[ScoreFile], settings: VerifySettings
) -> tuple[Judged, list[Finding]]:
    protocol = choose_protocol(file, protocols)
    findings = list(protocol_findings(file, protocol, where)) if protocol else []
    if protocol:
        file = with_keys(file, protocol)
    findings += file_findings(file, where)
    if set(file.words) & {"0", "1"}:
        told = f"labels 0 and 1: {settings.bonafide_digit} is read as bona fide (--bonafide-digit says otherwise)"
        findings.append(Finding(NOTE, "digits", where, told))
    why = ", ".join(obstacles(file))
    rate = None if why else _rate(file, settings)
    if rate:
        findings += direction(rate, where)
    model = Path(where).parent.as_posix()
    model = root.resolve().name if model == "." else model
    return Judged(model, condition_of(file.path), where, file.form, file, rate, why), findings


def _rate(file: ScoreFile, settings: VerifySettings) -> ErrorRate:
    rate = error_rate(file.of_key(True), file.of_key(False), settings.level)
    if settings.resamples == 0:
        return rate
    drawn = BootstrapSettings("trial", settings.resamples, settings.level)
    return rate.within(drawn_interval(file.of_key(True), file.of_key(False), drawn))


def _lines(
    judged: list[Judged], cells: list[Cell], folders: dict[str, dict[str, str]]
) -> tuple[list[Line], list[Finding]]:
    models = list(dict.fromkeys(one.model for one in judged))
    rows = list(dict.fromkeys(cell.labels for cell in cells))
    alone = len(models) == 1 and len(rows) == 1  # then nothing else can be meant
    lines: list[Line] = []
    unscored: dict[tuple[str, str], int] = {}
    for cell in cells:
        of_cell = [model for model in models if alone or speaks_of(cell, model, folders)]
        if not of_cell:
            unscored[cell.table, cell.model] = unscored.get((cell.table, cell.model), 0) + 1
        for model in of_cell:
            lines.append(_line(cell, model, [one for one in judged if one.model == model], cells))
    told = {(line.model, plain(line.condition)) for line in lines}
    lines += [_unprinted(one) for one in judged if (one.model, plain(one.condition)) not in told]
    return lines, [_no_scores(table, model, count) for (table, model), count in unscored.items()]


def _line(cell: Cell, model: str, judged: list[Judged], cells: list[Cell]) -> Line:
    if cell.is_average:
        return Line(model, cell.condition, None, cell, _judge_average(cell, judged, cells))
    one = next((one for one in judged if plain(one.condition) == plain(cell.condition)), None)
    if one is None:
        told = f"no score file of this condition (there are {', '.join(other.condition for other in judged)})"
        return Line(model, cell.condition, None, cell, Verdict(NOT_COMPUTABLE, told))
    verdict = judge(cell.printed, one.rate) if one.rate else Verdict(NOT_COMPUTABLE, one.why)
    return Line(model, one.condition, one.rate, cell, verdict)


def _judge_average(cell: Cell, judged: list[Judged], cells: list[Cell]) -> Verdict:
    """A printed mean against the mean of the rates of its row, every condition counting once."""
    row = [
        other for other in cells if (other.table, other.labels) == (cell.table, cell.labels) and not other.is_average
    ]
    rates = {plain(one.condition): one.rate for one in judged}
    found = [rates.get(plain(other.condition)) for other in row]
    computed = [rate.percent for rate in found if rate]
    if not row or len(computed) < len(row):
        return Verdict(NOT_COMPUTABLE, f"mean of {len(row)} conditions, of which {len(computed)} have a rate")
    mean = sum(computed, Fraction(0)) / len(row)
    how = agreement(cell.printed, mean)
    if how:
        return Verdict(how, f"mean of {len(row)} conditions, equal by {'rounding' if how == ROUNDED else 'truncation'}")
    of_printed = sum((Fraction(other.printed) for other in row), Fraction(0)) / len(row)
    hint = "; it is the mean of the printed numbers" if agreement(cell.printed, of_printed) else ""
    return Verdict(DIFFERENT, f"the mean of {len(row)} recomputed conditions is {float(mean):.4f}{hint}")


def _unprinted(one: Judged) -> Line:
    verdict = None if one.rate else Verdict(NOT_COMPUTABLE, one.why)
    return Line(one.model, one.condition, one.rate, None, verdict)


def _no_scores(table: str, model: str, count: int) -> Finding:
    told = f"{count} printed numbers have no scores here; --folders says which folder is meant"
    return Finding(NOTE, "no scores", f"table {table}, {model}" if table else model, told)


def _mixed_rounding(lines: list[Line]) -> Iterator[Finding]:
    """Tables of which some numbers are rounded (up, so not truncated) and others truncated."""
    habits: dict[str, dict[str, int]] = {}
    for line in lines:
        if line.cell and line.rate and line.verdict and line.verdict.name in HOLDING:
            rounded_up = Fraction(line.cell.printed) > line.rate.percent
            if line.verdict.name == TRUNCATED or rounded_up:
                counts = habits.setdefault(line.cell.table, {ROUNDED: 0, TRUNCATED: 0})
                counts[line.verdict.name] += 1
    for table, counts in habits.items():
        if min(counts.values()) > 0:
            told = f"{counts[ROUNDED]} numbers can only be rounded, {counts[TRUNCATED]} only truncated: two ways in one"
            yield Finding(NOTE, "rounding", f"table {table}", told)


def _contradictions(cells: list[Cell], groups: list[Copies]) -> Iterator[Finding]:
    """Models for which different numbers are printed of conditions that some model scores identically."""
    for conditions in {group.conditions for group in groups}:
        names = {plain(condition) for condition in conditions}
        for labels in dict.fromkeys(cell.labels for cell in cells):
            own = {c.condition: c.printed for c in cells if c.labels == labels and plain(c.condition) in names}
            if len({Fraction(printed) for printed in own.values()}) > 1:
                told = ", ".join(f"{condition} {printed}" for condition, printed in own.items())
                model = ", ".join(value for _, value in labels)
                yield Finding(
                    FAULT, "contradiction", model, f"printed {told}, though the fakes of these conditions are the same"
                )
