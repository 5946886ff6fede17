"""Any name can be printed in any encoding, in one line, and JSON stays valid."""

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecfake.base.printing import print_json, printable, printable_lines, show_any_name

ANY_TEXT = st.text(st.characters())  # with surrogates and control characters


def printed(text: str, encoding: str, monkeypatch: pytest.MonkeyPatch, as_json: bool = False) -> str:
    """What a terminal of an encoding is sent."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    with monkeypatch.context() as context:
        context.setattr(sys, "stdout", stream)
        context.setattr(sys, "stderr", stream)
        show_any_name()
        print_json(text) if as_json else print(text)
        stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("Пример ü 日本 a\\b.wav", "Пример ü 日本 a\\b.wav"),
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\x1b[2J\x9b2J\x7f", r"\x1b[2J\x9b2J\x7f"),
        ("caf\udce9.wav", r"caf\udce9.wav"),
        ("a\u202egpj.wav", r"a\u202egpj.wav"),
        ("a\u2028b", r"a\u2028b"),
    ],
)
def test_only_what_cannot_be_shown_is_escaped(text: str, output: str) -> None:
    assert printable(text) == output


@given(text=ANY_TEXT)
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    output = printable(text)
    assert len(output.splitlines()) <= 1
    assert not {unicodedata.category(letter) for letter in output} & {"Cc", "Cs", "Zl", "Zp"}
    assert printable_lines(f"{text}\n{text}").split("\n").count(output) >= bool(text and "\n" not in text)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "gb18030"])
@given(names=st.lists(ANY_TEXT, max_size=3))
def test_json_is_the_same_in_every_encoding(encoding: str, names: list[str]) -> None:
    text = json.dumps(names, ensure_ascii=False, indent=2)
    with pytest.MonkeyPatch.context() as monkeypatch:
        output = printed(text, encoding, monkeypatch, as_json=True)
    assert json.loads(output) == json.loads(json.dumps(names))
    assert "\x9b" not in output


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_a_stream_escapes_what_its_encoding_does_not_have(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "日" in printed("日", "utf-8", monkeypatch)
    assert printed("a\udce9日", encoding, monkeypatch).startswith(r"a\udce9")
