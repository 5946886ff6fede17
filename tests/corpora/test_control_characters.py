"""Characters that forge lines or cut names never enter a list, in any value of an utterance."""

import csv
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecfake.base.control_characters import control_character
from codecfake.base.printing import printable
from codecfake.base.utterances import Utterance
from codecfake.corpora import listed
from codecfake.corpora.listing import CorpusError, Listing, Rejection, listing

UTTERANCE = Utterance("u1", "s1", "en", "a/b.wav", "Hello.", split="dev", attack="A01")
VALUES = [field.name for field in fields(Utterance)]
CONTROL_CHARACTERS = [
    "\n", "\r", "\t", "\0", "\x1b", "\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202a",
    "\u202e", "\u2066", "\u2069", "\ud800",
]  # fmt: skip
OTHER_CHARACTERS = [
    "a b",
    "é",
    "你好",
    "a\u3000b",
    "a\u00a0b",
    "\u200f",
    "\u200d",
    "👩\u200d🚀",
    "=1+1",
    "<b>",
    '"',
    "'",
    "\\",
    "%s",
]
ROOT = Path("corpus")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("character", CONTROL_CHARACTERS)
def test_an_utterance_with_a_control_character_in_any_value_is_rejected_alone(value: str, character: str) -> None:
    other = replace(UTTERANCE, utterance_id="u2", path="a/c.wav")
    checked = listing(ROOT, [replace(UTTERANCE, **{value: f"x{character}y"}), other], [])
    assert checked.utterances == (other,)
    (rejection,) = checked.rejections
    reason = (
        "not UTF-8" if (value, character) == ("path", "\ud800") else f"{value} .* contains U+{ord(character):04X} ("
    )
    assert re.search(reason.replace("+", r"\+").replace("(", r"\("), rejection.reason)
    assert not rejection.expected
    assert control_character(rejection.path + rejection.reason) is None


@pytest.mark.parametrize("text", OTHER_CHARACTERS)
def test_any_other_character_is_read(text: str) -> None:
    utterance = replace(UTTERANCE, utterance_id=text, speaker_id=text, text=text, attack=text)
    assert listing(ROOT, [utterance], []) == Listing((utterance,), ())


@settings(deadline=None)
@given(st.text(st.characters(), min_size=1))
def test_a_text_is_refused_exactly_if_it_differs_from_its_visible_form(text: str) -> None:
    assert (control_character(text) is None) == (printable(text) == text)
    assert control_character(printable(text)) is None
    assert len(printable(text).splitlines()) == 1


@pytest.mark.parametrize("column", ["path", "utterance_id", "speaker", "attack", "language", "text"])
def test_a_line_break_in_a_cell_of_a_table_is_an_error(tmp_path: Path, column: str) -> None:
    cells = {"path": "a.wav", "utterance_id": "u1", "speaker": "s1", "label": "fake", "attack": "A01", "language": "en"}
    cells |= {"text": "Hello."}
    cells[column] += "\nevil.wav real F00"
    (tmp_path / cells["path"]).write_bytes(b"")
    with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cells.keys(), cells.values()])
    with pytest.raises(CorpusError):
        listed.utterances(tmp_path, {"table": "list.csv"})


def test_the_path_of_a_rejected_file_stays_on_one_line() -> None:
    rejection = listing(ROOT, [UTTERANCE], [Rejection("a\nb.wav", "odd \x1b[31m")]).rejections[0]
    assert (rejection.path, rejection.reason) == ("a\\nb.wav", "odd \\x1b[31m")


@pytest.mark.parametrize("speaker", ["", " "])
def test_a_blank_speaker_id_is_an_error_with_the_id_of_unknown_speakers(speaker: str) -> None:
    with pytest.raises(CorpusError, match="the speaker id is blank; write - for an unknown speaker"):
        listing(ROOT, [replace(UTTERANCE, speaker_id=speaker)], [])
