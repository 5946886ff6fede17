"""The demo's sentences, which are short and were written for it."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LENGTHS = ("long", "short")  # about eight words, or four


@dataclass(frozen=True)
class MandarinSentence:
    """A sentence in hanzi, and in pinyin with citation tones (5 is neutral), one syllable per character."""

    hanzi: str
    pinyin: tuple[str, ...]


@cache
def english(length: str = "long") -> tuple[str, ...]:
    """The English sentences of one of the LENGTHS."""
    return tuple(_lines(_FILES[length].format("english")))


@cache
def mandarin(length: str = "long") -> tuple[MandarinSentence, ...]:
    """The Mandarin sentences of one of the LENGTHS."""
    # 这条小路通向湖边<TAB>zhe4 tiao2 xiao3 lu4 tong1 xiang4 hu2 bian1
    pairs = (line.split("\t") for line in _lines(_FILES[length].format("mandarin")))
    return tuple(MandarinSentence(hanzi, tuple(pinyin.split())) for hanzi, pinyin in pairs)


_FILES = {"long": "{}.txt", "short": "{}-short.txt"}


def _lines(name: str) -> list[str]:
    return (files("codecfake.demo") / "sentences" / name).read_text(encoding="utf-8").splitlines()
