"""Reads score files and protocols as they are: unreadable lines are recorded as problems."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import text_files
from codecfake.base.text_files import TextError
from codecfake.base.text_tables import CellError
from codecfake.verification.cells import split
from codecfake.verification.class_index import UNCLEAR_DIGITS, two_readings_of_labels
from codecfake.verification.columns import split_or_none
from codecfake.verification.forms import PROTOCOL_FORMS, SCORE_FORMS, Form, Labels, Recognized
from codecfake.verification.logs import Numbered, output_lines, recognize_log
from codecfake.verification.names import has_folders, name_paths, trial_names
from codecfake.verification.recognition import FormError, Reading, of_keys, of_scores, recognize
from codecfake.verification.words import CLAIM_WORDS, DEFAULT, EXCLUDED, logit_difference, number, phase

SCORE_FORM_NAMES = "; ".join(form.name for form in SCORE_FORMS)
PROTOCOL_FORM_NAMES = "; ".join(form.name for form in PROTOCOL_FORMS)


class VerificationError(ValueError):
    """A file cannot be read as scores, as a protocol or as published numbers."""


Row = tuple[str, float, str, str | None]


@dataclass(frozen=True)
class Problem:
    line: int  # from 1
    text: str


@dataclass(frozen=True)
class ScoreFile:
    """The trials of one file in its order; arrays are `[N]`. Unreadable lines are only in `problems`."""

    path: Path
    form: str
    names: pd.Index  # without extension, and without folders if they stay unique
    scores: np.ndarray | None  # float64; None in a protocol
    bonafide: np.ndarray | None  # bool; None where no key is known
    lines: np.ndarray  # int, from 1
    words: tuple[str, ...]  # the labels as written, apart from case
    problems: tuple[Problem, ...]
    labels: Labels
    paths: pd.Index  # names with all folders
    phases: np.ndarray | None  # str, of words.PHASES; None if the file has none
    skipped: int = 0  # lines of a log that hold no scores
    repeated: int = 0  # lines left out, since they repeat a recording for another claimed speaker

    def of_key(self, bonafide: bool) -> np.ndarray:
        """The scores of one key; the file must have scores and keys."""
        assert self.scores is not None and self.bonafide is not None
        return self.scores[self.bonafide == bonafide]

    def names_of_key(self, bonafide: bool) -> pd.Index:
        assert self.bonafide is not None
        return self.names[self.bonafide == bonafide]

    def where(self, mask: np.ndarray) -> "ScoreFile":
        """The trials where the mask `[N]` is true."""
        return replace(
            self,
            names=self.names[mask],
            scores=None if self.scores is None else self.scores[mask],
            bonafide=None if self.bonafide is None else self.bonafide[mask],
            lines=self.lines[mask],
            paths=self.paths[mask],
            phases=None if self.phases is None else self.phases[mask],
        )


def read_scores(
    path: Path,
    bonafide_digit: str | None = None,
    columns: Mapping[str, int] | None = None,
    bonafide_logit: int | None = None,
) -> ScoreFile:
    """`columns` has those that the file leaves unclear (`recognition.ROLES`), counted from 0.

    `bonafide_digit` and `bonafide_logit` are the class index of bona fide speech, in labels and in cells of two logits.

    Raises VerificationError if the file is empty, is not text, no line fits a form, or there are two readings.
    """
    return _read(path, of_scores(columns, bonafide_digit, bonafide_logit))


def read_protocol(path: Path, bonafide_digit: str | None = None, columns: Mapping[str, int] | None = None) -> ScoreFile:
    """The keys of trials; ours (with a header), those of corpora and the published form. Raises as `read_scores`.

    A protocol with any problem is refused, since other files are checked against it.
    """
    protocol = _read(path, of_keys(columns, bonafide_digit))
    for problem in protocol.problems[:1]:
        raise VerificationError(f"{path}:{problem.line}: {problem.text}; correct the protocol")
    twice = protocol.names.duplicated()
    if twice.any():
        place = int(np.argmax(twice))
        raise VerificationError(
            f"{path}:{protocol.lines[place]}: trial {protocol.names[place]!r} is listed twice; "
            f"trials must be unique in a protocol: drop the repeated line"
        )
    return protocol


def with_keys(scores: ScoreFile, protocol: ScoreFile) -> ScoreFile:
    """Adds the keys of a protocol to scores without keys; a trial that is not in it becomes a problem."""
    if scores.bonafide is not None:
        return scores
    places = protocol.names.get_indexer(scores.names)
    unlisted = [
        Problem(int(line), f"trial {name!r} is not in {protocol.path.name}, so its key is unknown")
        for line, name in zip(scores.lines[places < 0], scores.names[places < 0], strict=True)
    ]
    assert protocol.bonafide is not None
    in_protocol = places >= 0
    return replace(
        scores.where(in_protocol),
        bonafide=protocol.bonafide[places[in_protocol]],
        problems=(*scores.problems, *unlisted),
    )


def _read(path: Path, reading: Reading) -> ScoreFile:
    try:
        numbered = [(line.number, line.text) for line in text_files.lines(path)]
    except TextError as error:
        raise VerificationError(str(error)) from error
    if not numbered:
        raise VerificationError(f"{path}: the file is empty, but needs one line per trial; download it or score again")
    outputs = output_lines(numbered) if reading.has_scores else []
    score_lines = outputs or numbered
    recognized = _recognize(path, score_lines, reading, is_log=bool(outputs))
    score_lines = score_lines[recognized.has_header :]
    file = replace(_parse(path, recognized, score_lines), skipped=len(numbered) - len(outputs) if outputs else 0)
    return _once(file) if recognized.has_claims or set(CLAIM_WORDS) & set(file.words) else file


def _once(file: ScoreFile) -> ScoreFile:
    """Each recording once, in place of once for each claimed speaker; lines that differ otherwise are kept.

    A countermeasure judges the recording alone. Keys and scores of track 2 of ASVspoof 5 are pairs of both. A recording
    of a line that counts is kept, though another one is excluded.
    """
    values = {"name": file.names, "score": file.scores, "key": file.bonafide}
    table = pd.DataFrame({name: column for name, column in values.items() if column is not None})
    is_excluded = np.zeros(len(table), dtype=bool) if file.phases is None else file.phases == EXCLUDED
    repeated = table.iloc[np.argsort(is_excluded, kind="stable")].duplicated().sort_index().to_numpy()
    return replace(file.where(~repeated), repeated=int(repeated.sum()))


def _recognize(path: Path, numbered: Numbered, reading: Reading, is_log: bool) -> Recognized:
    lines = [line for _, line in numbered]
    try:
        recognized = recognize_log(lines, reading) if is_log else recognize(lines, reading)
    except FormError as error:
        raise VerificationError(f"{path}: {error}") from error
    if recognized is None:
        line, text = numbered[0]
        form_names = SCORE_FORM_NAMES if reading.has_scores else PROTOCOL_FORM_NAMES
        raise VerificationError(
            f"{path}:{line}: {text[:80]!r} fits no form; write one of: {form_names}, or name the columns, in a header "
            f"or with {reading.option}"
        )
    return recognized


def _parse(path: Path, recognized: Recognized, numbered: Numbered) -> ScoreFile:
    form, labels, rows, problems = recognized.form, recognized.labels, [], []
    key_of = cache(labels.is_bonafide)  # a million labels are only a few words
    for line, text in numbered:
        row = _row(text, recognized, key_of)
        if isinstance(row, str):
            problems.append(Problem(line, row))
        else:
            rows.append((line, *row))
    if not rows and any(problem.text == UNCLEAR_DIGITS for problem in problems):
        raise VerificationError(f"{path}: {two_readings_of_labels(_labels(recognized, numbered))}")
    lines, raw, scores, cells, phases = zip(*rows, strict=True) if rows else ((),) * 5
    names = trial_names(raw)
    words = () if form.key is None else tuple(sorted({cell.casefold() for cell in set(cells)} - {""}))
    has_keys = form.key is not None or labels.all_spoof
    return ScoreFile(
        path,
        str(recognized),
        names,
        None if form.score is None else np.array(scores, dtype=np.float64),
        np.array([key_of(cell) for cell in cells], dtype=bool) if has_keys else None,
        np.array(lines, dtype=np.int64),
        words,
        tuple(problems),
        labels,
        name_paths(raw) if has_folders(raw) else names,
        None if form.phase is None and form.leaves_out is None else np.array(phases, dtype=object),
    )


def _labels(recognized: Recognized, numbered: Numbered) -> list[str]:
    """The labels of lines that have as many columns as the form."""
    key = recognized.form.key or 0
    rows = (split_or_none(text, recognized.delimiter) for _, text in numbered)
    return [row[key] for row in rows if row and len(row) == recognized.form.width]


def _row(text: str, recognized: Recognized, key_of: Callable[[str], bool | None]) -> Row | str:
    """Name, score, label and phase of a line (0, "" and None where the form has none), or its problem."""
    form = recognized.form
    try:
        fields = split(text, recognized.delimiter)
    except CellError as error:
        return str(error)
    if len(fields) != form.width:
        return f"{len(fields)} columns, but the form has {form.width}: {' '.join(fields)[:60]!r}"
    score = 0.0 if form.score is None else _score(fields[form.score], form)
    if score is None:
        return _no_score(fields[form.score or 0], recognized)
    label = "" if form.key is None else fields[form.key]
    if form.key is not None and key_of(label) is None:
        unclear = recognized.labels.are_unclear([label])
        return UNCLEAR_DIGITS if unclear else f"label {label!r} is neither bona fide nor spoof"
    phase_of_trial = None
    if form.leaves_out is not None:
        phase_of_trial = EXCLUDED if form.leaves_out(fields) else DEFAULT
    if form.phase is not None:
        phase_of_trial = phase(fields[form.phase], "" if form.trim is None else fields[form.trim])
        if phase_of_trial is None:
            return f"phase {fields[form.phase]!r} is none of eval, progress and hidden"
    return fields[form.trial], score, label, phase_of_trial


def _score(cell: str, form: Form) -> float | None:
    return number(cell) if form.bonafide_logit is None else logit_difference(cell, form.bonafide_logit)


def _no_score(cell: str, recognized: Recognized) -> str:
    if recognized.form.bonafide_logit is not None:
        return f"score {cell!r} is not two logits"
    why = ", only SASV scores; a-DCF and t-EER need both (--asv-scores)" if recognized.has_claims else ""
    return f"score {cell!r} is not a number" + (f": no score of a countermeasure{why}" if cell == "-" else "")
