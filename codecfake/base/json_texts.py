"""JSON from files and options: whatever is wrong in it is one kind of error, which names the file."""

import json
from pathlib import Path
from typing import Any

MOST_DIGITS = 100


class JsonError(ValueError):
    """A file does not have the JSON that is expected there."""


def parse(text: str) -> Any:
    """The values of a JSON text. Raises ValueError, saying where it is wrong."""
    try:
        return json.loads(text, parse_int=_whole_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """The members of a JSON object in a file. Raises JsonError with the file's name if it has something else."""
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise JsonError(f"{path}: damaged: not JSON ({error}); {remedy}") from error
    if not isinstance(values, dict):
        raise JsonError(f"{path}: damaged: a JSON object is needed, not a {type(values).__name__}; {remedy}")
    return values


def _whole_number(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits, at most {MOST_DIGITS}")
    return int(digits)
