"""Scores in the log of project-NN-Pytorch-scripts: lines `Output, name, label, score` among others.

Their label is 1 for bona fide. Some models print more numbers, such as a confidence after the score.
"""

from codecfake.verification.cells import split
from codecfake.verification.columns import table
from codecfake.verification.forms import LOG_FORM, Form, Recognized, digits_of_form
from codecfake.verification.recognition import FormError, Reading
from codecfake.verification.words import digit, number

MARK = "Output,"
DIGIT_OF_BONAFIDE = "1"

Numbered = list[tuple[int, str]]


def output_lines(numbered: Numbered) -> Numbered:
    """The lines that hold scores; none if this is not such a log. A line with scores in its middle counts too."""
    outputs = [(place, line) for place, line in numbered if MARK in line]
    return outputs if sum(_is_output(line) for _, line in outputs) > len(outputs) / 2 else []


def recognize_log(lines: list[str], reading: Reading) -> Recognized:
    """Raises FormError if lines have several numbers and the user names none."""
    cells = table([line for line in lines if _is_output(line)], "commas")
    width = len(cells.columns) if cells else LOG_FORM.width
    score = reading.columns.get("score", LOG_FORM.score)
    if not reading.fits(width):
        raise FormError(f"the lines Output have {width} columns, fewer than --columns names")
    if width > LOG_FORM.width and "score" not in reading.columns:
        numbers = " or in ".join(f"column {column + 1}" for column in range(3, width))
        raise FormError(f"the score may be in {numbers} of the lines Output; name it: --columns score=4 or score=5")
    form = Form(LOG_FORM.name, width, LOG_FORM.trial, LOG_FORM.key, score)
    return Recognized(form, "commas", False, digits_of_form(DIGIT_OF_BONAFIDE, reading.bonafide_digit))


def _is_output(line: str) -> bool:
    cells = split(line, "commas") if '"' not in line else []
    return len(cells) > 3 and cells[0] == MARK[:-1] and digit(cells[2]) is not None and number(cells[3]) is not None
