"""Text to the ids of phones by two files: a table of phones, and a dictionary of words.

Nothing is guessed: a word or mark that the dictionary lacks is a fault. A mark that is not spoken is a word without
phones.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from codecfake.generators.espeak_text import STRAIGHT
from codecfake.generators.generator import GeneratorError

PHONES, LEXICON = "phones.txt", "lexicon.txt"
WORD = re.compile(r"[\w']+|[^\w\s]")
LANGUAGE = "en"
REMEDY = (
    f"give a folder with {PHONES} (one phone a line, in the order of the released table) and "
    f"{LEXICON} (a word and its phones a line)"
)


class Lexicon:
    """The ids of words' phones."""

    def __init__(self, words: Mapping[str, list[int]]) -> None:
        self._words = words

    def fault(self, text: str, prompt: str, language: str) -> str | None:
        """Why it cannot read the two texts."""
        if language != LANGUAGE:
            return f"the language is {language!r}; this generator speaks {LANGUAGE!r}"
        unknown = dict.fromkeys(word for word in words(f"{prompt} {text}") if word not in self._words)
        return f"{LEXICON} has no {', '.join(map(repr, unknown))}" if unknown else None

    def ids(self, text: str, prompt: str, language: str) -> tuple[list[int], None]:
        """Ids of both texts. Raises KeyError for an unknown word."""
        return [each for word in words(f"{prompt} {text}") for each in self._words[word]], None


def words(text: str) -> list[str]:
    """Lower-case words and single marks."""
    return WORD.findall(text.translate(STRAIGHT).lower())


def folder_fault(folder: str) -> str | None:
    """Why the two files cannot be read from a folder; its name is empty if none was given."""
    if not folder:
        return f"it is empty; {REMEDY}"
    missing = [path for name in (PHONES, LEXICON) if not (path := Path(folder) / name).is_file()]
    return f"{missing[0]}: it does not exist; {REMEDY}" if missing else None


def read(folder: str, most_phones: int) -> Lexicon:
    """The lexicon of a folder with both files. Raises GeneratorError, naming the line at fault."""
    if text := folder_fault(folder):
        raise GeneratorError(text)
    phones = _phones(Path(folder) / PHONES, most_phones)
    table: dict[str, list[int]] = {}
    for place, line in _lines(Path(folder) / LEXICON):
        # two lines of such a file: "yes Y_B EH1_I S_E" and "."
        word, *symbols = line.split()
        unknown = [symbol for symbol in symbols if symbol not in phones]
        if unknown:
            raise GeneratorError(f"{place}: {PHONES} has no phone {unknown[0]!r}; correct the phone, or the table")
        if word.lower() in table or words(word) != [word.lower()]:
            raise GeneratorError(f"{place}: {word!r} is not one new word or mark; give each on a line of its own")
        table[word.lower()] = [phones[symbol] for symbol in symbols]
    return Lexicon(table)


def _phones(path: Path, most: int) -> dict[str, int]:
    phones: dict[str, int] = {}
    for place, line in _lines(path):
        if len(line.split()) != 1 or line in phones:
            raise GeneratorError(f"{place}: {line!r} is not one new phone; give the released table, one phone a line")
        phones[line] = len(phones)
    if len(phones) > most:
        raise GeneratorError(f"{path}: {len(phones)} phones, the network has {most}; give the table of its checkpoint")
    return phones


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line with its place. Raises GeneratorError for an empty line or file: ids are counted by lines."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    if not all(lines) or not lines:
        number = lines.index("") + 1 if lines else 1
        raise GeneratorError(f"{path}, line {number}: it is empty; give the released table without empty lines")
    for number, line in enumerate(lines, 1):
        yield f"{path}, line {number}", line
