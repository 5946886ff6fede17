"""Texts from outside, such as names in a file or a server's messages, as parts of our messages."""

MOST_CHARACTERS = 200


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    """The beginning of a text, with control characters escaped, so that it cannot change what a terminal shows."""
    short = text if len(text) <= most else text[:most] + "…"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in short)
