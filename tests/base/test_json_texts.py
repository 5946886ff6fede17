"""JSON that is damaged or meant to harm: one error, with the file and the remedy."""

from pathlib import Path

import pytest

from codecfake.base import json_texts
from codecfake.base.json_texts import JsonError

DAMAGED = {
    '{"a": [1': "Expecting ',' delimiter: line 1 column 9",
    "": "Expecting value: line 1 column 1",
    "[]": "a JSON object is needed, not a list",
    "null": "a JSON object is needed, not a NoneType",
    "[" * 100_000: "it is nested too deeply",
    '{"a": ' + "9" * 6000 + "}": "a number of 6,000 digits, at most 100",
}


@pytest.mark.parametrize("text", DAMAGED, ids=DAMAGED.values())
def test_a_damaged_object_is_refused_with_its_file_and_the_remedy(text: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(JsonError) as error:
        json_texts.read_object(path, "restore it")
    assert str(error.value).startswith(f"{path}: damaged: ")
    assert DAMAGED[text] in str(error.value)
    assert str(error.value).endswith("; restore it")


def test_a_file_that_is_not_utf8_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(JsonError, match="x.json: damaged: not JSON"):
        json_texts.read_object(tmp_path / "x.json", "restore it")


def test_an_object_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": [1, 2.5, "ü", null, -12345678901234567890]}', encoding="utf-8")
    assert json_texts.read_object(tmp_path / "x.json", "") == {"a": [1, 2.5, "ü", None, -12345678901234567890]}
