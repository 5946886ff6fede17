"""Text front-ends beyond the golden sentences: laws, and what they refuse."""

import itertools

import pytest

from codecfake.generators import english_ipa, mandarin_ipa, vallex_text
from codecfake.generators.english_numbers import written_out
from codecfake.generators.espeak_text import phones
from codecfake.generators.vallex import VallexText

EXTRA = "pip install 'codecfake[generators]'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dr. Who", "doctor Who"),
        ("in 2000", "in two thousand"),
        ("in 2005", "in two thousand five"),
        ("in 1900", "in nineteen hundred"),
        ("in 1905", "in nineteen oh five"),
        ("the 3rd", "the third"),
        ("$1.01", "one dollar, one cent"),
        ("£20", "twenty pounds"),
        ("1,234.5", "twelve thirty-four point five"),
        ("no digits", "no digits"),
    ],
)
def test_numbers_and_abbreviations_are_written_out(text: str, words: str) -> None:
    pytest.importorskip("inflect", reason=EXTRA)
    assert written_out(text) == words


def test_letters_lose_their_marks_and_quotes_become_straight() -> None:
    assert english_ipa.ascii_of("“Café” – naïve…") == '"Cafe" - naive...'


def test_every_syllable_is_written_with_the_models_symbols() -> None:
    initials = ["", *mandarin_ipa.INITIALS, *mandarin_ipa.SIBILANTS]
    for initial, final, tone in itertools.product(initials, mandarin_ipa.FINALS, mandarin_ipa.TONES):
        assert set(mandarin_ipa.syllable_ipa(initial + final + tone)) <= set(vallex_text.IDS), (initial, final)


@pytest.mark.parametrize(("bopomofo", "ipa"), [("ㄕˋ", "s`ɹ`↓"), ("ㄙˋ", "sɹ↓"), ("ㄖˋ", "ɹ`ɹ`↓"), ("ㄅㄛ", "p⁼wo→")])
def test_a_sibilant_alone_gets_its_buzz_and_a_labial_its_glide(bopomofo: str, ipa: str) -> None:
    assert mandarin_ipa.syllable_ipa(bopomofo) == ipa


@pytest.mark.parametrize("bopomofo", ["ㄅ", "x", "瓧˙"])
def test_what_is_no_syllable_is_refused(bopomofo: str) -> None:
    with pytest.raises(mandarin_ipa.SyllableError, match="is not a syllable of Mandarin"):
        mandarin_ipa.syllable_ipa(bopomofo)


def test_a_text_that_mandarin_cannot_say_has_a_reason() -> None:
    for package in ("jieba", "pypinyin"):
        pytest.importorskip(package, reason=EXTRA)
    front_end = VallexText()
    assert front_end.fault("你好", "好。", "zh") is None
    assert front_end.fault("AB你好", "好。", "zh") == "it cannot pronounce 'A', 'B' in Mandarin"
    assert "is not a syllable" in (front_end.fault("瓧", "好。", "zh") or "")


def test_one_mark_stands_between_words_and_none_at_the_ends() -> None:
    spoken = phones("  Oh -- yes ,  the the end ! ", "en-us")
    assert spoken[0] != "_" != spoken[-1]
    assert ("_", "_") not in list(zip(spoken, spoken[1:], strict=False))
    assert phones("the the", "en-us") == ["ð", "ə", "_", "ð", "ə"]


def test_decimal_points_stay_in_their_number() -> None:
    assert "." not in phones("3.5", "en-us")
    assert phones("3.", "en-us")[-1] == "."
