"""English text to the IPA that VALL-E X (Plachtaa) was trained on."""

import re
import unicodedata

from codecfake.generators.english_numbers import written_out
from codecfake.generators.packages import required

# Letters that keep their shape when their marks are taken away, and signs of print
PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "--", "…": "...", "ß": "ss", "æ": "ae", "ø": "o", "œ": "oe"}
)
DARK_L = re.compile(r"l(?=[^aeiouæɑɔəɛɪʊ ]*(?: |$))")  # no vowel follows in its word
LETTERS = (("r", "ɹ"), ("ʤ", "dʒ"), ("ʧ", "tʃ"), ("...", "…"))


def ipa(text: str) -> str:
    """IPA of a text by the pronouncing dictionary of CMU; words that it lacks stay in letters, with `*` behind.

    Raises GeneratorError if a package is missing.
    """
    dictionary = required("eng_to_ipa", "the English front-end of VALL-E X")
    phonemes = dictionary.convert(written_out(ascii_of(text).lower()))
    phonemes = DARK_L.sub("ɫ", re.sub(r"\s+", " ", phonemes))
    for letter, ours in LETTERS:
        phonemes = phonemes.replace(letter, ours)
    return phonemes


def ascii_of(text: str) -> str:
    """The text in ASCII, but for the pound sign; characters that have no such form stay."""
    parts = unicodedata.normalize("NFKD", text.translate(PLAIN))
    return "".join(part for part in parts if not unicodedata.combining(part))
