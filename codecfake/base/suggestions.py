"""The message for an unknown name."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: object, choices: Iterable[object]) -> str:
    """`unknown codec 'encodc'; did you mean 'encodec'? Choose from …`, without a guess if no name is close."""
    names = [str(each) for each in choices]
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"unknown {kind} {name!r}; did you mean {close[0]!r}? Choose from {', '.join(names)}"
    return f"unknown {kind} {name!r}; choose from {', '.join(names)}"
