"""Text files from outside: UTF-8 with or without a byte order mark, any line ends, nothing cut and nothing guessed.

A line ends at LF, CR LF or CR alone. `str.splitlines` also cuts at form feeds, U+0085 and U+2028, which occur within
the sentences of real corpora, so readers of foreign text use this module instead.
"""

import codecs
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"
ENCODING_OF_MARK = {  # UTF-32's little-endian mark begins with that of UTF-16, so it comes first
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
# Latin letters of UTF-16 have a zero byte each; a text that mixes them with others still has many.
SHARE_OF_ZEROS = 0.2
HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
LONGEST_LINE = 100_000  # characters; an hour of speech has about 50,000
BINARY = "a spreadsheet or another binary file? Export it as text (CSV in UTF-8)"


class TextError(ValueError):
    """A file is not the text that was expected; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Line:
    """A line without its end, and its number, from 1."""

    number: int
    text: str


def read(path: Path) -> str:
    """The whole text, without byte order mark; every line ends in LF.

    Raises TextError naming file, line and encoding if it is not UTF-8, and for a file that cannot be read.
    """
    text = _decode(path, _bytes(path)).replace("\r\n", "\n").replace("\r", "\n")
    # where files were concatenated, the marks of the later ones are at the beginnings of lines
    return text.lstrip(BYTE_ORDER_MARK).replace(f"\n{BYTE_ORDER_MARK}", "\n")


def lines(path: Path) -> Iterator[Line]:
    """The lines that are not blank. Raises TextError as `read`, and for a line of more than LONGEST_LINE characters."""
    for number, text in enumerate(read(path).split("\n"), start=1):
        if len(text) > LONGEST_LINE:
            raise TextError(
                f"{path}:{number}: a line of {len(text):,} characters, at most {LONGEST_LINE:,}; write one row per line"
            )
        if text and not text.isspace():
            yield Line(number, text)


def _bytes(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TextError(f"{path}: a folder or a device, not a text file; name a file")
        return path.read_bytes()
    except FileNotFoundError:
        raise TextError(f"{path}: no such file; put it there, or name another one") from None
    except OSError as error:
        raise TextError(f"{path}: cannot be read ({error.strerror}); check its permissions and its disk") from error


def _decode(path: Path, data: bytes) -> str:
    wide = _wide_encoding(data)
    if wide:
        raise TextError(f"{path}: {wide} text, not UTF-8; {_conversion(path, wide)}")
    if b"\0" in data:
        line = _line_number(data, data.index(b"\0"))
        raise TextError(f"{path}:{line}: a NUL byte, which no text contains: {BINARY}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"{path}:{_line_number(data, error.start)}: not UTF-8 text (byte 0x{data[error.start]:02x})"
        if _is_mostly_utf8(data):
            raise TextError(f"{where}, unlike most of the file; correct this line, or restore the file") from error
        encoding = _narrow_encoding(data)
        raise TextError(f"{where}, but probably {encoding}; {_conversion(path, encoding)}") from error


def _wide_encoding(data: bytes) -> str | None:
    """The encoding of text with two or four bytes a letter; None for other text."""
    for mark, encoding in ENCODING_OF_MARK.items():
        if data.startswith(mark):
            return encoding
    even, odd = data[::2].count(0), data[1::2].count(0)
    if max(even, odd) < SHARE_OF_ZEROS * len(data) or min(even, odd) > max(even, odd) / 4:
        return None
    return "UTF-16BE" if even > odd else "UTF-16LE" if odd > even else None


def _is_mostly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    return sum(not letter.isascii() for letter in text) > 2 * bad


def _narrow_encoding(data: bytes) -> str:
    """The likely encoding of text that is not UTF-8.

    In GB18030 a Chinese character has two high bytes; accented letters of Western text stand alone.
    """
    runs = [len(run) for run in HIGH_BYTES.findall(data)]
    pairs = sum(run % 2 == 0 for run in runs) > len(runs) / 2
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "WINDOWS-1252"
    return "GB18030" if pairs else "WINDOWS-1252"


def _conversion(path: Path, encoding: str) -> str:
    old, new = shlex.quote(path.name), shlex.quote(f"utf8_{path.name}")
    return f"convert it, e.g. with `iconv -f {encoding} -t UTF-8 {old} > {new}`"


def _line_number(data: bytes, position: int) -> int:
    before = data[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1
