"""Mandarin text to the IPA that VALL-E X (Plachtaa) was trained on: words, Bopomofo, then letters and arrows of tones.

The golden vectors show part of these syllables; the others follow the same scheme.
"""

import re
from collections.abc import Iterator

from codecfake.generators.packages import required

INITIALS = {
    "ㄅ": "p⁼", "ㄆ": "pʰ", "ㄇ": "m", "ㄈ": "f", "ㄉ": "t⁼", "ㄊ": "tʰ", "ㄋ": "n", "ㄌ": "l",
    "ㄍ": "k⁼", "ㄎ": "kʰ", "ㄏ": "x", "ㄐ": "tʃ⁼", "ㄑ": "tʃʰ", "ㄒ": "ʃ",
}  # fmt: skip
SIBILANTS = {"ㄓ": "ts`⁼", "ㄔ": "ts`ʰ", "ㄕ": "s`", "ㄖ": "ɹ`", "ㄗ": "ts⁼", "ㄘ": "tsʰ", "ㄙ": "s"}
LABIALS = "ㄅㄆㄇㄈ"
FINALS = {
    "ㄚ": "a", "ㄛ": "o", "ㄜ": "ə", "ㄝ": "ɛ", "ㄞ": "aɪ", "ㄟ": "eɪ", "ㄠ": "ɑʊ", "ㄡ": "oʊ",
    "ㄢ": "an", "ㄣ": "ən", "ㄤ": "ɑŋ", "ㄥ": "əŋ", "ㄦ": "əɹ`",
    "ㄧ": "i", "ㄧㄚ": "ja", "ㄧㄛ": "jo", "ㄧㄝ": "iɛ", "ㄧㄞ": "jaɪ", "ㄧㄠ": "iɑʊ", "ㄧㄡ": "joʊ",
    "ㄧㄢ": "jɛn", "ㄧㄣ": "in", "ㄧㄤ": "iɑŋ", "ㄧㄥ": "iŋ",
    "ㄨ": "u", "ㄨㄚ": "wa", "ㄨㄛ": "wo", "ㄨㄞ": "waɪ", "ㄨㄟ": "weɪ",
    "ㄨㄢ": "wan", "ㄨㄣ": "wən", "ㄨㄤ": "uɑŋ", "ㄨㄥ": "ʊŋ",
    "ㄩ": "ɥ", "ㄩㄝ": "ɥɛ", "ㄩㄢ": "ɥæn", "ㄩㄣ": "ɥn", "ㄩㄥ": "jʊŋ",
}  # fmt: skip
TONES = {"": "→", "ˊ": "↑", "ˇ": "↓↑", "ˋ": "↓", "˙": ""}
PUNCTUATION = str.maketrans("，。！？、；：", ",.!?,,,")
HANZI = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
SYLLABLE = re.compile(r"([ㄅ-ㄙ]?)([ㄚ-ㄩ]*)([ˊˇˋ˙]?)")
SPOKEN = re.compile(r"[\u4e00-\u9fff\d\s.,!?~…\-，。！？、；：]")


class SyllableError(ValueError):
    """A character is pronounced as no syllable of Mandarin."""


def unspeakable(text: str) -> list[str]:
    """The characters of a text that this front-end cannot pronounce, each once."""
    return list(dict.fromkeys(character for character in text if not SPOKEN.match(character)))


def ipa(text: str) -> str:
    """IPA of a text, with blanks between words.

    Raises GeneratorError if a package is missing, SyllableError for a character without a syllable of Mandarin.
    """
    if NUMBER.search(text):
        numerals = required("cn2an", "Mandarin text with numbers")
        text = NUMBER.sub(lambda match: numerals.an2cn(match[0]), text)
    return "".join(_words(text.translate(PUNCTUATION))).strip()


def _words(text: str) -> Iterator[str]:
    jieba, pypinyin = (required(name, "the Mandarin front-end of VALL-E X") for name in ("jieba", "pypinyin"))
    jieba.setLogLevel("WARNING")
    for word in jieba.lcut(text, cut_all=False):
        if HANZI.search(word):
            syllables = pypinyin.lazy_pinyin(word, pypinyin.BOPOMOFO)
            yield " " + "".join(map(syllable_ipa, syllables))
        else:
            yield word


def syllable_ipa(bopomofo: str) -> str:
    """IPA of one syllable, such as `ㄏㄠˇ`. Raises SyllableError if it is none."""
    match = SYLLABLE.fullmatch(bopomofo)
    initial, final, tone = match.groups() if match else ("", "?", "")
    if final not in FINALS and not (final == "" and initial in SIBILANTS):
        raise SyllableError(f"{bopomofo!r} is not a syllable of Mandarin in Bopomofo; use another character")
    return _sound(initial, final) + TONES[tone]


def _sound(initial: str, final: str) -> str:
    if not final:
        # what follows such an initial alone is a buzz at its own place
        return SIBILANTS[initial] + ("ɹ`" if "`" in SIBILANTS[initial] else "ɹ")
    glide = "w" if initial and initial in LABIALS and final == "ㄛ" else ""
    return (INITIALS | SIBILANTS).get(initial, "") + glide + FINALS[final]
