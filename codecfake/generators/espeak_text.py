"""Text to ids as in Amphion's VALL-E, first version: phones of eSpeak NG, numbered by the checkpoint's symbols."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from codecfake.demo import espeak
from codecfake.generators.generator import GeneratorError

BEGIN, END, FIRST = 1, 2, 3  # ids; 0 is padding
WORD_END = "_"
STRAIGHT = str.maketrans("‘’“”", "''\"\"")
# Marks end a piece of text that eSpeak NG gets, and stay; it reads points and commas within numbers itself.
MARKS = re.compile(r'((?:\s*(?:[;:!?¡¿—…"«»(){}\[\]]|(?<!\d)[.,]|[.,](?!\d))\s*)+)')
STRESS = re.compile(r"[ˈˌ'-]+")
LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")  # where eSpeak NG reads a foreign word by that language's rules
SYMBOL = re.compile(r"\w+|[^\w\s]")


def phones(text: str, voice: str) -> list[str]:
    """Phones and punctuation of a text, with `_` between words. Raises SpeechError if eSpeak NG has no such voice."""
    pieces = MARKS.split(text.translate(STRAIGHT).strip())
    symbols = [symbol for place, piece in enumerate(pieces) for symbol in _symbols(piece, bool(place % 2), voice)]
    return list(_without_repetition(symbols))


def _symbols(piece: str, is_mark: bool, voice: str) -> Iterator[str]:
    if is_mark:
        yield from (WORD_END if mark.isspace() else mark for mark in piece)
    elif piece:
        for place, word in enumerate(" ".join(espeak.phonemes(piece, voice)).split()):
            if place:
                yield WORD_END
            yield from _phones_of(word)


def _phones_of(word: str) -> Iterator[str]:
    plain = STRESS.sub("", LANGUAGE_SWITCH.sub("", word))
    for phone in plain.split("_"):
        yield from SYMBOL.findall(phone)


def _without_repetition(symbols: Sequence[str]) -> Iterator[str]:
    """The symbols with one `_` between words, and none at the ends."""
    inner = list(symbols)
    while inner and inner[-1] == WORD_END:
        inner.pop()
    last = WORD_END
    for symbol in inner:
        if (last, symbol) != (WORD_END, WORD_END):
            yield symbol
        last = symbol


class SymbolTable:
    """The ids of phones. They are counted in code point order: the numbers in the file are not the ids."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._ids = {symbol: FIRST + place for place, symbol in enumerate(sorted(symbols))}

    def __len__(self) -> int:
        return FIRST + len(self._ids)

    def unknown(self, phones: Sequence[str]) -> list[str]:
        """The phones that have no id, each once."""
        return list(dict.fromkeys(phone for phone in phones if phone not in self._ids))

    def ids(self, phones: Sequence[str]) -> list[int]:
        """Ids with begin and end. Raises KeyError for an unknown phone."""
        return [BEGIN, *(self._ids[phone] for phone in phones), END]


def read_symbols(path: Path) -> SymbolTable:
    """The table in a checkpoint's file of symbols. Raises GeneratorError, naming the line at fault."""
    symbols = []
    # two lines of such a file: "aɪ 7" and "<eps> 0"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split()
        if len(parts) != 2 or not parts[1].isdigit() or parts[0] in symbols:
            raise GeneratorError(
                f"{path}, line {number}: {line!r} is not a new symbol and its number; restore the checkpoint's file"
            )
        symbols.append(parts[0])
    if not symbols:
        raise GeneratorError(f"{path}: it has no symbols; restore the checkpoint's file")
    return SymbolTable(symbols)
