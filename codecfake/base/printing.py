"""Texts on a terminal: any name can be printed, and none can move the cursor, break a line or forge another one."""

import json
import re
import sys

# Control characters, line and paragraph separators, changes of direction, and bytes of names that are not UTF-8.
UNPRINTABLE = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
IN_TEXT = re.compile(rf"[\x00-\x1f{UNPRINTABLE}]")
IN_JSON = re.compile(rf"[{UNPRINTABLE}]")  # whose serializer escapes the others
MOST_CHARACTERS = 200  # of a text from outside in a message
NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def show_any_name() -> None:
    """Let the standard streams escape what their encoding cannot show, instead of ending in an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # other streams, such as a notebook's, show anything
        if reconfigure:
            reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """The text in one line: `\\n`, `\\x1b` or `\\udce9` in place of what cannot be shown."""
    return IN_TEXT.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def excerpt(text: str, most: int = MOST_CHARACTERS) -> str:
    """The beginning of a text from outside as a part of our messages, with everything invisible escaped."""
    short = text if len(text) <= most else text[:most] + "…"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in short)


def printable_lines(text: str) -> str:
    """The same with line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))


def print_json(text: str) -> None:
    """Print JSON as it is, with escapes of JSON for what cannot be shown: it stays valid in every encoding."""
    safe = IN_JSON.sub(_as_json, text)
    try:
        safe.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        safe = NOT_ASCII.sub(_as_json, safe)
    print(safe)


def _as_json(match: re.Match[str]) -> str:
    return "\\u007f" if match[0] == "\x7f" else json.dumps(match[0])[1:-1]
