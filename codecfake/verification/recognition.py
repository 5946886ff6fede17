"""How the form of a file is recognized: by a header with known names, else by what stands in the columns.

Where two columns could be the key, the score or the names of trials, nothing is guessed: the user says which.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from codecfake.base.text_tables import CellError
from codecfake.verification import exclusions
from codecfake.verification.cells import DELIMITERS, split
from codecfake.verification.class_index import two_readings_of_logits
from codecfake.verification.columns import Table, table
from codecfake.verification.forms import (
    ANTIDEEPFAKE,
    BONAFIDE_OF_ANTIDEEPFAKE,
    CLAIM_COLUMNS,
    DIGIT_OF_COLUMN,
    ID_COLUMNS,
    KEY_COLUMNS,
    LOGITS_FORM,
    LOGITS_FORM_WITHOUT_KEYS,
    MLAAD,
    PROTOCOL_FORMS,
    SCORE_COLUMNS,
    SCORE_FORMS,
    SPOOFCELEB,
    Form,
    Labels,
    Recognized,
    digits_of_form,
)
from codecfake.verification.words import CLAIM_WORDS, digit, is_bonafide, logit_difference, number

LINES_LOOKED_AT = 2000  # of longer files, unless these leave two readings
HEADER_WORDS = ("name", "file", "utt", "trial", "label", "key", "score", "pred", "speaker", "target", "prob", "logit")
ROLES = {"trial": "the names of trials", "key": "the key", "score": "the score", "phase": "the phase"}


class FormError(ValueError):
    """The form of a file has two readings; the message has no path."""


@dataclass(frozen=True)
class Reading:
    """What is read from a file, and what the user says about it.

    `columns` has the column of some of ROLES, counted from 0.
    """

    forms: Sequence[Form]
    option: str  # which sets `columns`
    columns: Mapping[str, int] = field(default_factory=dict)
    bonafide_digit: str | None = None
    bonafide_logit: int | None = None

    @property
    def has_scores(self) -> bool:
        return self.forms is SCORE_FORMS

    def fits(self, width: int) -> bool:
        """Whether there are as many columns as the user names."""
        return all(column < width for column in self.columns.values())


def of_scores(
    columns: Mapping[str, int] | None = None, bonafide_digit: str | None = None, bonafide_logit: int | None = None
) -> Reading:
    return Reading(SCORE_FORMS, "--columns", columns or {}, bonafide_digit, bonafide_logit)


def of_keys(columns: Mapping[str, int] | None = None, bonafide_digit: str | None = None) -> Reading:
    return Reading(PROTOCOL_FORMS, "--protocol-columns", columns or {}, bonafide_digit)


def recognize(lines: Sequence[str], reading: Reading) -> Recognized | None:
    """The form of a file of these lines; None if most lines fit none. Raises FormError if there are two readings."""
    step = max(1, len(lines) // LINES_LOOKED_AT)
    if step > 1:
        try:
            return _recognize([*lines[:100], *lines[100::step]], reading)
        except FormError:  # the other lines may decide
            pass
    return _recognize(lines, reading)


def _recognize(lines: Sequence[str], reading: Reading) -> Recognized | None:
    for delimiter in DELIMITERS:
        recognized = _by_header(lines, delimiter, reading)
        if recognized:
            return recognized
    for delimiter in DELIMITERS:
        recognized = _without_names(lines, delimiter, reading)
        if recognized:
            return _unless_spaces_fit(recognized, lines, reading)
    return None


def _without_names(lines: Sequence[str], delimiter: str, reading: Reading) -> Recognized | None:
    has_header = _is_header(lines[0], delimiter)
    cells = table(lines[has_header:], delimiter)
    form = _by_contents(cells, reading) if cells and reading.fits(len(cells.columns)) else None
    return Recognized(form, delimiter, has_header, Labels(reading.bonafide_digit)) if form else None


def _is_header(line: str, delimiter: str) -> bool:
    """Whether a line has names of columns, though unknown ones: no number, no label, and a word that headers have."""
    try:
        cells = [cell.casefold() for cell in split(line, delimiter)]
    except CellError:
        return False
    data = any(
        cell not in CLAIM_WORDS
        and (is_bonafide(cell, None) is not None or digit(cell) is not None or number(cell) is not None)
        for cell in cells
    )
    return not data and not re.search(r"\d", line) and any(word in cell for cell in cells for word in HEADER_WORDS)


def _unless_spaces_fit(recognized: Recognized, lines: Sequence[str], reading: Reading) -> Recognized:
    """Commas and the like may be part of names: scores without keys that spaces separate as well are unclear."""
    if recognized.form.key is not None or recognized.delimiter not in ("commas", "semicolons", "bars"):
        return recognized
    spaced = _without_names(lines, "spaces", reading)
    if spaced is None or spaced.form.key is not None:
        return spaced or recognized
    raise FormError(f"columns may be separated by {recognized.delimiter} or by spaces; separate them by tabs")


def _by_header(lines: Sequence[str], delimiter: str, reading: Reading) -> Recognized | None:
    try:
        names = [name.casefold() for name in split(lines[0], delimiter)]
    except CellError:
        return None
    trials, corpus_labels = _places(names, ID_COLUMNS), _known_corpus(names)
    _require_cm_scores(names, reading)
    keys, scores = _places(names, (*KEY_COLUMNS, *DIGIT_OF_COLUMN)), _places(names, SCORE_COLUMNS)
    has_content = scores or "score" in reading.columns if reading.has_scores else keys or corpus_labels
    if not trials or not has_content or not reading.fits(len(names)):
        return None
    cells = table(lines[1:], delimiter, len(names)) or Table([()] * len(names))
    if reading.has_scores and names in (ANTIDEEPFAKE, ANTIDEEPFAKE[:2]) and cells.logits:
        return _antideepfake(names, delimiter, reading)
    trial = reading.columns.get("trial", (cells.with_most_names(trials) or trials)[0])
    score = _one(cells, scores, "score", reading) if reading.has_scores else None
    others = (trial, *keys, *scores, *_places(names, [exclusions.TAG]))
    form = Form(
        f"columns {', '.join(names)}",
        len(names),
        trial,
        names.index("attack") if corpus_labels and names == SPOOFCELEB else _key_of_header(cells, keys, names, reading),
        score,
        _one(cells, [column for column in cells.phases if column not in others], "phase", reading),
        leaves_out=exclusions.of_header(names),
        bonafide_logit=_bonafide_logit(cells, score, reading),
    )
    labels = corpus_labels or _labels(cells, form, reading, names)
    return Recognized(form, delimiter, True, labels, bool(CLAIM_COLUMNS & set(names)))


def _antideepfake(names: list[str], delimiter: str, reading: Reading) -> Recognized:
    """Scores of AntiDeepfake, whose class order is known, unless the user says otherwise."""
    form = LOGITS_FORM if names == ANTIDEEPFAKE else LOGITS_FORM_WITHOUT_KEYS
    logit = BONAFIDE_OF_ANTIDEEPFAKE if reading.bonafide_logit is None else reading.bonafide_logit
    labels = digits_of_form(str(BONAFIDE_OF_ANTIDEEPFAKE), reading.bonafide_digit)
    return Recognized(replace(form, bonafide_logit=logit), delimiter, True, labels)


def _bonafide_logit(cells: Table, score: int | None, reading: Reading) -> int | None:
    """Which of two logits in a cell is of bona fide speech; None if scores are numbers."""
    if score is None or score not in cells.logits:
        return None
    if reading.bonafide_logit is None:
        examples = (cell for cell in cells.cells(score) if logit_difference(cell, 1) is not None)
        raise FormError(two_readings_of_logits(next(examples)))
    return reading.bonafide_logit


def _require_cm_scores(names: list[str], reading: Reading) -> None:
    """Raises FormError for scores of speakers alone, which do not tell fakes from speech of another speaker."""
    claims = [name for name in names if name in CLAIM_COLUMNS and name.endswith("score")]
    if claims and reading.has_scores and "score" not in reading.columns and not _places(names, SCORE_COLUMNS):
        place = names.index(claims[0]) + 1
        raise FormError(
            f"{' and '.join(claims)} are scores of speaker verification, not of fakes; add a column cm-score, or name "
            f"the score: {reading.option} score={place}"
        )


def _places(names: list[str], candidates: Sequence[str]) -> list[int]:
    return [column for candidate in candidates for column, name in enumerate(names) if name == candidate]


def _known_corpus(names: list[str]) -> Labels | None:
    """The labels of tables without a key: SpoofCeleb's attack a00 is bona fide, MLAAD has fakes alone."""
    if names == SPOOFCELEB:
        return Labels(bonafide_attack="a00")
    return Labels(all_spoof=True) if set(names) >= MLAAD and not _places(names, KEY_COLUMNS) else None


def _key_of_header(cells: Table, candidates: list[int], names: list[str], reading: Reading) -> int | None:
    words = [column for column in candidates if column in cells.words]
    digits = [column for column in candidates if column in cells.digits]
    clear_digits = [column for column in digits if names[column] in DIGIT_OF_COLUMN]
    return _one(cells, words or clear_digits or digits or candidates[:1], "key", reading)


def _by_contents(cells: Table, reading: Reading) -> Form | None:
    key = _key(cells, reading)
    score = _score(cells, key, reading) if reading.has_scores else None
    if (score if reading.has_scores else key) is None:
        return None
    phase = _one(cells, [column for column in cells.phases if column != key], "phase", reading)
    width = len(cells.columns)
    usual = [form for form in reading.forms if (form.width, form.key, form.score) == (width, key, score)]
    if score in cells.counters and not usual and "score" not in reading.columns:
        return None
    trial = _trial(cells, {key, score, phase}, usual, reading)
    if trial is None:
        return None
    logit = _bonafide_logit(cells, score, reading)
    for form in usual:
        if form.trial == trial:
            return replace(form, phase=phase, bonafide_logit=logit)
    places = {"trial": trial, "key": key, "score": score, "phase": phase}
    texts = [f"{role} {column + 1}" for role, column in places.items() if column is not None]
    return Form(f"{width} columns: {', '.join(texts)}", width, trial, key, score, phase, bonafide_logit=logit)


def _key(cells: Table, reading: Reading) -> int | None:
    """The column of labels; of scores, a column of digits is one only beside a column of other numbers."""
    if "key" in reading.columns or cells.words:
        return _one(cells, cells.words, "key", reading)
    digits = [column for column in cells.digits if column != reading.columns.get("score")]
    if reading.has_scores and "score" not in reading.columns:
        truths = [column for column in digits if column not in cells.numbers]
        if not truths and len(cells.numbers) < 2:
            return None
        if not truths and set(cells.numbers) <= set(digits):
            raise _two_readings(cells, digits, "score", reading)
        digits = truths or digits
    return _one(cells, digits, "key", reading)


def _score(cells: Table, key: int | None, reading: Reading) -> int | None:
    columns = [column for column in cells.numbers if column != key]
    if key is not None:
        columns = [column for column in columns if not cells.repeats_key(column, key)]
    others = set(range(len(cells.columns))) - {key, *columns}
    if len(columns) == 2 and not others and "score" not in reading.columns:  # one of them has the names
        names = [column for column in columns if _are_numbers_of_files(cells.cells(column))]
        columns = [column for column in columns if column not in names] if len(names) == 1 else columns
    return _one(cells, columns, "score", reading)


def _are_numbers_of_files(names: Sequence[str]) -> bool:
    return all(name.isdecimal() for name in names) and len(set(names)) == len(names) > 1


def _trial(cells: Table, others: set[int | None], usual: list[Form], reading: Reading) -> int | None:
    if "trial" in reading.columns:
        return reading.columns["trial"]
    columns = [column for column in range(len(cells.columns)) if column not in others]
    no_names = {*cells.numbers, *cells.counters, *cells.with_labels}
    columns = [column for column in columns if column not in no_names] or columns
    candidates = cells.with_most_names(columns)
    for form in usual:
        if form.trial in candidates:
            return form.trial
    return _one(cells, candidates, "trial", reading)


def _one(cells: Table, columns: Sequence[int], role: str, reading: Reading) -> int | None:
    """The only candidate, or the one that the user names; columns of labels that agree are one."""
    if role in reading.columns:
        return reading.columns[role]
    if role == "key" and len(columns) > 1 and all(cells.agree(columns[0], other) for other in columns[1:]):
        return columns[-1] if set(columns) <= set(cells.words) else columns[0]
    if len(columns) > 1:
        raise _two_readings(cells, columns, role, reading)
    return columns[0] if columns else None


def _two_readings(cells: Table, columns: Sequence[int], role: str, reading: Reading) -> FormError:
    examples = [f"column {column + 1} ({', '.join(cells.cells(column)[:3])}, …)" for column in columns]
    text = f"{ROLES[role]} may be in {' or in '.join(examples)}"
    return FormError(f"{text}; name it: {reading.option} {role}={columns[0] + 1} or {role}={columns[1] + 1}")


def _labels(cells: Table, form: Form, reading: Reading, names: Sequence[str] = ()) -> Labels:
    """The meaning of labels; of digits, the user's word counts before that of the column's name."""
    digit_of_form = DIGIT_OF_COLUMN.get(names[form.key]) if form.key is not None and names else None
    return digits_of_form(digit_of_form, reading.bonafide_digit)
