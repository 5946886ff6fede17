"""Reads score files and protocols as they are: unreadable lines are recorded as problems."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.verification.forms import (
    PROTOCOL_FORMS,
    SCORE_FORMS,
    Form,
    Recognized,
    is_bonafide,
    number,
    recognize,
    split,
)

EXTENSION = re.compile(r"\.(wav|flac|mp3|m4a|ogg|opus|pt|npy)$", re.IGNORECASE)
SCORE_FORM_NAMES = "; ".join(form.name for form in SCORE_FORMS)
PROTOCOL_FORM_NAMES = "; ".join(form.name for form in PROTOCOL_FORMS)


class VerificationError(ValueError):
    """A file cannot be read as scores, as a protocol or as published numbers."""


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

    def of_key(self, bonafide: bool) -> np.ndarray:
        """The scores of one key; the file must have scores and keys."""
        assert self.scores is not None and self.bonafide is not None
        return self.scores[self.bonafide == bonafide]

    def names_of_key(self, bonafide: bool) -> pd.Index:
        assert self.bonafide is not None
        return self.names[self.bonafide == bonafide]


def read_scores(path: Path, bonafide_digit: str = "1") -> ScoreFile:
    """Raises VerificationError if the file is empty, is not text, or no line fits a form."""
    return _read(path, SCORE_FORMS, bonafide_digit)


def read_protocol(path: Path, bonafide_digit: str = "1") -> ScoreFile:
    """The keys of trials; ours (with a header), ASVspoof's and the published form. Raises as `read_scores`.

    A protocol with any problem is refused, since other files are checked against it.
    """
    protocol = _read(path, PROTOCOL_FORMS, bonafide_digit)
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
    assert scores.scores is not None and protocol.bonafide is not None
    in_protocol = places >= 0
    return replace(
        scores,
        names=scores.names[in_protocol],
        scores=scores.scores[in_protocol],
        lines=scores.lines[in_protocol],
        bonafide=protocol.bonafide[places[in_protocol]],
        problems=(*scores.problems, *unlisted),
    )


def trial_names(raw: Sequence[str]) -> pd.Index:
    """Names without extension, and without folders unless two trials differ by these alone."""
    names = pd.Index([EXTENSION.sub("", name) for name in raw], dtype=object)
    if not any("/" in name or "\\" in name for name in raw):
        return names
    bases = pd.Index([re.split(r"[/\\]", name)[-1] for name in names], dtype=object)
    return bases if bases.nunique() == names.nunique() else names


def _read(path: Path, forms: Sequence[Form], bonafide_digit: str) -> ScoreFile:
    numbered = _lines(path)
    if not numbered:
        raise VerificationError(f"{path}: the file is empty, but needs one line per trial; download it or score again")
    recognized = recognize([line for _, line in numbered], forms)
    if recognized is None:
        line, text = numbered[0]
        form_names = SCORE_FORM_NAMES if forms is SCORE_FORMS else PROTOCOL_FORM_NAMES
        raise VerificationError(
            f"{path}:{line}: {text[:80]!r} fits no form; write one of: {form_names}, or name the columns"
        )
    return _parse(path, recognized, numbered[recognized.has_header :], bonafide_digit)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines that are not blank, with their numbers; without a byte order mark and Windows line ends."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VerificationError(f"{path}: byte {error.start} is not UTF-8 text; scores are text: convert it") from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [(place, line) for place, line in enumerate(text.split("\n"), start=1) if line and not line.isspace()]


def _parse(path: Path, recognized: Recognized, numbered: list[tuple[int, str]], bonafide_digit: str) -> ScoreFile:
    form, rows, problems = recognized.form, [], []
    for line, text in numbered:
        row = _row(split(text, recognized.delimiter), form, bonafide_digit)
        if isinstance(row, str):
            problems.append(Problem(line, row))
        else:
            rows.append((line, *row))
    lines, names, scores, labels = zip(*rows, strict=True) if rows else ((), (), (), ())
    return ScoreFile(
        path,
        str(recognized),
        trial_names(names),
        None if form.score is None else np.array(scores, dtype=np.float64),
        None if form.key is None else np.array([is_bonafide(label, bonafide_digit) for label in labels], dtype=bool),
        np.array(lines, dtype=np.int64),
        tuple(sorted({label.casefold() for label in set(labels)} - {""})),
        tuple(problems),
    )


def _row(fields: list[str], form: Form, bonafide_digit: str) -> tuple[str, float, str] | str:
    """Name, score and label of a line (0 and "" where the form has none), or its problem."""
    if len(fields) != form.width:
        return f"{len(fields)} columns, but the form has {form.width}: {' '.join(fields)[:60]!r}"
    score = 0.0 if form.score is None else number(fields[form.score])
    if score is None:
        return f"score {fields[form.score or 0]!r} is not a number"
    label = "" if form.key is None else fields[form.key]
    if form.key is not None and is_bonafide(label, bonafide_digit) is None:
        return f"label {label!r} is neither bona fide nor spoof"
    return fields[form.trial], score, label
