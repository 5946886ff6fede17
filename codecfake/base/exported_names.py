"""Names in exported lists and the names of exported files: one word each, the same in both."""

import re

# readers of lists split at blanks, some treat quotes and # as syntax, and a byte order mark can vanish;
# % is escaped only where it looks like one of our escapes, so that decoding gives back every name
UNREADABLE = re.compile(r'[\s"#\ufeff]|%(?=[0-9A-Fa-f]{2})')


def exported_name(name: str) -> str:
    """`name` with its unreadable characters percent-encoded, as in addresses: `a b` becomes `a%20b`.

    Two names never become one, and `urllib.parse.unquote` gives back the original.
    """
    return UNREADABLE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)
