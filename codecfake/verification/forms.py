"""The forms of score files and protocols, and how the form of a file is recognized.

Columns are separated by tabs, commas or spaces. A header with known column names decides; otherwise the form that fits
most of a file's first lines is used. A label is one word, as corpora use for the two keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

BONAFIDE_WORDS = ("bonafide", "bona-fide", "bona_fide", "real", "genuine", "human")
SPOOF_WORDS = ("spoof", "spoofed", "fake")
DELIMITERS = {"tabs": "\t", "commas": ",", "spaces": None}
LINES_LOOKED_AT = 100

ID_COLUMNS = ("trial_id", "utterance_id", "utterance", "utt_id", "utt", "filename", "file_name", "file", "path", "id")
KEY_COLUMNS = ("key", "label")
SCORE_COLUMNS = ("score", "cm_score", "cm-score", "scores")


@dataclass(frozen=True)
class Form:
    """The columns of a line, counted from 0; None if a column is missing."""

    name: str
    width: int
    trial: int
    key: int | None
    score: int | None


SCORE_FORMS = (
    Form("published: file score label", 3, 0, 2, 1),
    Form("ASVspoof: utterance source key score", 4, 0, 2, 3),
    Form("ASVspoof: utterance - attack key score", 5, 0, 3, 4),
    Form("utterance key score", 3, 0, 1, 2),
    Form("utterance score, without keys", 2, 0, None, 1),
)
PROTOCOL_FORMS = (
    Form("published: file label", 2, 0, 1, None),
    Form("published: file label tag", 3, 0, 1, None),
    Form("ASVspoof 2019: speaker utterance - attack key", 5, 1, 4, None),
    Form("ASVspoof 2021: speaker utterance … key …", 8, 1, 5, None),
)


@dataclass(frozen=True)
class Recognized:
    form: Form
    delimiter: str  # one of DELIMITERS
    has_header: bool

    def __str__(self) -> str:
        return f"{self.form.name} ({self.delimiter}, {'a' if self.has_header else 'no'} header)"


def recognize(lines: Sequence[str], forms: Sequence[Form]) -> Recognized | None:
    """The form of a file that begins with these lines; None if no line fits any."""
    headed = _by_header(lines[0], with_scores=forms[0].score is not None)
    if headed:
        return headed
    candidates = list(product(DELIMITERS, forms))
    fits = [_count_fitting(lines[:LINES_LOOKED_AT], delimiter, form) for delimiter, form in candidates]
    if max(fits) == 0:
        return None
    delimiter, form = candidates[fits.index(max(fits))]
    return Recognized(form, delimiter, has_header=False)


def split(line: str, delimiter: str) -> list[str]:
    separator = DELIMITERS[delimiter]
    return line.split() if separator is None else [field.strip() for field in line.split(separator)]


@lru_cache(maxsize=1024)  # a million labels are only a few words
def is_bonafide(label: str, bonafide_digit: str) -> bool | None:
    """Whether a label means bona fide; None if it is not a label."""
    label = label.casefold()
    if label in ("0", "1"):
        return label == bonafide_digit
    return True if label in BONAFIDE_WORDS else False if label in SPOOF_WORDS else None


def number(field: str) -> float | None:
    """The number in a field, which may be nan or infinite; None if it is not a number."""
    try:
        return None if "_" in field else float(field)  # Python reads 1_0 as 10
    except ValueError:
        return None


def _by_header(line: str, with_scores: bool) -> Recognized | None:
    for delimiter in DELIMITERS:
        names = [name.casefold() for name in split(line, delimiter)]
        trial, key, score = (_place(names, candidates) for candidates in (ID_COLUMNS, KEY_COLUMNS, SCORE_COLUMNS))
        if trial is not None and (score if with_scores else key) is not None:
            form = Form(f"columns {', '.join(names)}", len(names), trial, key, score)
            return Recognized(form, delimiter, has_header=True)
    return None


def _place(names: list[str], candidates: Sequence[str]) -> int | None:
    return next((names.index(name) for name in candidates if name in names), None)


def _count_fitting(lines: Sequence[str], delimiter: str, form: Form) -> int:
    return sum(_fits(split(line, delimiter), form) for line in lines)


def _fits(fields: list[str], form: Form) -> bool:
    return (
        len(fields) == form.width
        and (form.key is None or is_bonafide(fields[form.key], "1") is not None)
        and (form.score is None or number(fields[form.score]) is not None)
    )
