"""How settings are written in YAML, for messages about values of the wrong type."""

import datetime
from collections.abc import Mapping
from typing import Any

MOST_CHARACTERS = 200  # of a value in a message
KINDS: Mapping[type, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def of_kind(kind: type, value: Any) -> str:
    """`expected a number, found '5e-4'; write 0.0005`."""
    expected, remedy = KINDS.get(kind, kind.__name__), _right_spelling(kind, value)
    return f"expected {expected}, found {as_yaml(value)}" + (f"; write {remedy}" if remedy else "")


def as_yaml(value: Any) -> str:
    """A value as YAML writes it, or as Python does if it is a mapping or list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    text = str(value) if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def _right_spelling(kind: type, value: Any) -> str:
    """How to write a value that is only of the wrong type."""
    if kind is bool:
        return "true or false"
    if kind is str and isinstance(value, int | float | datetime.date):
        return "it in quotes"
    number = _number(value)
    if kind is int and number is not None and number.is_integer():
        return f"{number:.0f}"
    if kind is float and number is not None:
        return f"{number!r}" + (" (YAML reads an exponent without a point as text)" if "e" in str(value) else "")
    return ""


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, str | float) else None
    except ValueError:
        return None
