"""Characters that forge lines, cut names or show a text other than it is; no id and no cell of a table needs them."""

import re
import unicodedata

# control characters (line breaks, tabs, NUL, ESC, U+0085), line and paragraph separators, halves of surrogate pairs,
# and overrides of the writing direction; marks of direction, which Arabic and Hebrew texts have, are allowed
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def control_character(text: str) -> str | None:
    """The first such character of a text in words: `U+2028 (line separator)`."""
    match = CONTROL.search(text)
    if match is None:
        return None
    name = unicodedata.name(match[0], "control character").lower()
    return f"U+{ord(match[0]):04X} ({name})"


def is_utf8(name: str) -> bool:
    """Whether the name of a file is UTF-8; Python has half a surrogate pair for each byte of another encoding."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
