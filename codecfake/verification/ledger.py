"""The ledger of a folder of score files: recomputed rates next to the printed ones, and all findings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from codecfake.statistics.intervals import BootstrapSettings
from codecfake.verification.comparison import FileResult, Line, compare, contradictions
from codecfake.verification.cross_checks import Entry, copies, cross_file_findings
from codecfake.verification.error_rates import ErrorRate, bootstrap_eer, error_rate
from codecfake.verification.faults import (
    FAULT,
    Finding,
    file_findings,
    inversion_findings,
    obstacles,
    protocol_findings,
)
from codecfake.verification.phases import select
from codecfake.verification.printed import read_cells, read_folders
from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores, with_keys
from codecfake.verification.run_protocols import own_finding, own_protocol
from codecfake.verification.verdicts import HOLDING

SUFFIXES = ("", ".txt", ".tsv", ".csv", ".score", ".scores", ".out")
NO_SCORES = re.compile(r"(readme|licen[cs]e|changelog)\b", re.IGNORECASE)
CONDITION_ENDS = re.compile(r"[_-](results?|scores?)$", re.IGNORECASE)


@dataclass(frozen=True)
class VerifySettings:
    """How scores are read, and how intervals are computed."""

    level: float = 0.95
    resamples: int = 0  # of a bootstrap over trials; 0: exact bounds without resampling
    bonafide_digit: str | None = None  # which of the labels 0 and 1 means bona fide, where files do not tell
    bonafide_logit: int | None = None  # which of two logits in a cell is of bona fide speech
    phase: str | None = None  # of keys with phases: `words.DEFAULT`, another one or `phases.ALL`
    columns: Mapping[str, int] = field(default_factory=dict)  # of score files, where they do not tell
    protocol_columns: Mapping[str, int] = field(default_factory=dict)
    metrics: str | None = None  # of `error_rates.METRICS`: more measures than the EER

    def __post_init__(self) -> None:
        BootstrapSettings("trial", max(1, self.resamples), self.level)  # raises if the level is invalid


@dataclass(frozen=True)
class Ledger:
    results: list[FileResult]
    lines: list[Line]
    findings: list[Finding]
    unread: list[str] = field(default_factory=list)  # names of skipped files

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong: no fault, and every printed number follows from the scores."""
        return not any(finding.severity == FAULT for finding in self.findings) and all(
            line.verdict is None or line.verdict.name in HOLDING for line in self.lines
        )


def verify(
    root: Path,
    tables: Sequence[Path] = (),
    protocols: Sequence[Path] = (),
    folders: Path | None = None,
    settings: VerifySettings | None = None,
) -> Ledger:
    """Verify every score file under `root` (or that one file), and the printed numbers in `tables`.

    `folders` maps folders of scores to the names in `tables` (`printed.read_folders`).

    Raises VerificationError if there is no score file, or a table or protocol cannot be read.
    """
    settings = settings or VerifySettings()
    # cached, since a run has many score files for each of its protocols
    read = cache(partial(read_protocol, bonafide_digit=settings.bonafide_digit, columns=settings.protocol_columns))
    keys = [read(path) for path in protocols]
    other_files = {path.resolve() for path in (folders, *tables, *protocols) if path}
    paths, unread = _score_files(root, other_files)
    results, findings = [], []
    for path in paths:
        where = path.name if path == root else path.relative_to(root).as_posix()
        try:
            file = read_scores(path, settings.bonafide_digit, settings.columns, settings.bonafide_logit)
        except VerificationError as error:
            line, text = str(error).removeprefix(str(path)).split(": ", maxsplit=1)
            findings.append(Finding(FAULT, "unrecognized", where + line, text))
            continue
        protocol = choose_protocol(file, keys)
        own = own_protocol(file, read) if not keys else None
        findings += [own_finding(own, where)] if own else []
        one, its_findings = _evaluate(file, where, root, protocol or own, settings)
        results.append(one)
        findings += its_findings
    results.sort(key=lambda one: (one.model, one.condition, one.path))
    entries = [Entry(one.model, one.condition, one.file) for one in results if one.rate]
    findings += cross_file_findings(entries)
    cells = [cell for table in tables for cell in read_cells(table)]
    lines, more = compare(results, cells, read_folders(folders) if folders else {})
    findings += [*more, *contradictions(cells, copies(entries))]
    return Ledger(results, lines, sorted(set(findings)), unread)


def choose_protocol(file: ScoreFile, protocols: Sequence[ScoreFile]) -> ScoreFile | None:
    """The protocol named as the file; else the only one, for a file without keys or if it has phases."""
    names = (file.path.stem, condition_of(file.path))
    same_name = [protocol for protocol in protocols if protocol.path.stem in names]
    if same_name:
        return same_name[0]
    if len(protocols) != 1 or (file.bonafide is not None and protocols[0].phases is None):
        return None
    return protocols[0]


def condition_of(path: Path) -> str:
    """The condition in a file's name: C1 for `C1.tsv` and `C1_result.txt`."""
    return CONDITION_ENDS.sub("", path.stem)


def _score_files(root: Path, other_files: set[Path]) -> tuple[list[Path], list[str]]:
    if not root.exists():
        raise VerificationError(f"{root}: no such file or folder; name a folder of score files")
    paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    paths = [path for path in paths if path.resolve() not in other_files and not path.name.startswith(".")]
    scores = [path for path in paths if path.suffix.lower() in SUFFIXES and not NO_SCORES.match(path.name)]
    if not scores:
        raise VerificationError(f"{root}: no score file among {len(paths)} files; names end in {' '.join(SUFFIXES)}")
    return scores, [path.relative_to(root).as_posix() for path in paths if path not in scores]


def _evaluate(
    file: ScoreFile, where: str, root: Path, protocol: ScoreFile | None, settings: VerifySettings
) -> tuple[FileResult, list[Finding]]:
    file, protocol, findings = select(file, protocol, settings.phase, where)
    if protocol:
        findings += protocol_findings(file, protocol, where)
        file = with_keys(file, protocol)
    findings += file_findings(file, where)
    why = ", ".join(obstacles(file))
    rate = None if why else _rate(file, settings)
    if rate:
        findings += inversion_findings(rate, where)
    folder = root.resolve() if root.is_dir() else root.resolve().parent
    model = folder.name if "/" not in where else Path(where).parent.as_posix()
    return FileResult(model, condition_of(file.path), where, file.form, file, rate, why), findings


def _rate(file: ScoreFile, settings: VerifySettings) -> ErrorRate:
    rate = error_rate(file.of_key(True), file.of_key(False), settings.level, settings.metrics)
    if settings.resamples == 0:
        return rate
    bootstrap = BootstrapSettings("trial", settings.resamples, settings.level)
    return rate.within(bootstrap_eer(file.of_key(True), file.of_key(False), bootstrap))
