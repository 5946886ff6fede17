"""Numbers and abbreviations in English text, written out as speech synthesis usually does."""

import re
from typing import Any

from codecfake.generators.packages import required

ABBREVIATIONS = {
    "mrs": "misess",  # the spelling that such front-ends have used since Tacotron
    "mr": "mister",
    "dr": "doctor",
    "st": "saint",
    "co": "company",
    "jr": "junior",
    "maj": "major",
    "gen": "general",
    "drs": "doctors",
    "rev": "reverend",
    "lt": "lieutenant",
    "hon": "honorable",
    "sgt": "sergeant",
    "capt": "captain",
    "esq": "esquire",
    "ltd": "limited",
    "col": "colonel",
    "ft": "fort",
}
ABBREVIATION = re.compile(rf"\b({'|'.join(ABBREVIATIONS)})\.", re.IGNORECASE)
THOUSANDS = re.compile(r"(?<=\d),(?=\d)")
POUNDS = re.compile(r"£(\d+)")
DOLLARS = re.compile(r"\$(\d+)(?:\.(\d+))?")
DECIMAL = re.compile(r"(\d+)\.(\d+)")
ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)\b")
NUMBER = re.compile(r"\d+")


def written_out(text: str) -> str:
    """The text without digits and abbreviations. Raises GeneratorError if the package inflect is missing."""
    text = ABBREVIATION.sub(lambda match: ABBREVIATIONS[match[1].lower()], text)
    if not NUMBER.search(text):
        return text
    engine = required("inflect", "English text with numbers").engine()
    text = DOLLARS.sub(_dollars, POUNDS.sub(r"\1 pounds", THOUSANDS.sub("", text)))
    text = ORDINAL.sub(lambda match: engine.number_to_words(match[0]), DECIMAL.sub(r"\1 point \2", text))
    return NUMBER.sub(lambda match: _cardinal(int(match[0]), engine), text)


def _dollars(match: re.Match[str]) -> str:
    dollars, cents = int(match[1]), int(match[2] or 0)
    amounts = [
        f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in ((dollars, "dollar"), (cents, "cent"))
    ]
    return ", ".join(amount for amount in amounts if not amount.startswith("0 ")) or "zero dollars"


def _cardinal(number: int, engine: Any) -> str:
    """Four digits are read as a year, such as nineteen ninety-nine."""
    if not 1000 < number < 3000 or number == 2000:
        return engine.number_to_words(number, andword="")
    if 2000 < number < 2010:
        return f"two thousand {engine.number_to_words(number % 100)}"
    if number % 100 == 0:
        return f"{engine.number_to_words(number // 100)} hundred"
    return engine.number_to_words(number, andword="", zero="oh", group=2).replace(", ", " ")
