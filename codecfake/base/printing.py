"""Texts on a terminal: any name can be printed, and none can move the cursor, break a line or forge another one."""

import json
import re
import sys

from codecfake.base.control_characters import CONTROL

MOST_CHARACTERS = 200  # of a text from outside in a message
NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def show_any_name() -> None:
    """Let the standard streams escape what their encoding cannot show, instead of ending in an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # other streams, such as a notebook's, show anything
        if reconfigure:
            reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """The text in one line: `\\n`, `\\x1b` or `\\udce9` in place of control characters."""
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def excerpt(text: str, most: int = MOST_CHARACTERS) -> str:
    """The beginning of a text from outside as a part of our messages."""
    return printable(text if len(text) <= most else text[:most] + "…")


def printable_lines(text: str) -> str:
    """The text as `printable` shows it, with line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))


def print_json(text: str, end: str = "\n") -> None:
    """Print JSON as it is, with escapes of JSON for what cannot be shown: it stays valid in every encoding.

    Pieces of one JSON text can be printed one by one, with an empty `end`, if they are divided between values.
    """
    # json.dumps escapes the control characters of ASCII in strings, so only the line breaks between values are left
    safe = "\n".join(CONTROL.sub(_as_json, line) for line in text.split("\n"))
    try:
        safe.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        safe = NOT_ASCII.sub(_as_json, safe)
    print(safe, end=end)


def _as_json(match: re.Match[str]) -> str:
    return "\\u007f" if match[0] == "\x7f" else json.dumps(match[0])[1:-1]
