"""The text front-ends give what those of the official repositories gave."""

import json
from pathlib import Path
from typing import Any

import pytest
from golden_generators import ABSENT, FOLDER

from codecfake.generators import vallex_text
from codecfake.generators.espeak_text import SymbolTable, phones, read_symbols
from codecfake.generators.generator import GeneratorError

PACKAGES = {"en": ("inflect", "eng_to_ipa"), "zh": ("cn2an", "jieba", "pypinyin")}


def examples(name: str) -> list[Any]:
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason=ABSENT))]
    return [pytest.param(each, id=each["text"][:12]) for each in json.loads(path.read_text("utf-8"))["examples"]]


@pytest.mark.parametrize("example", examples("vallex_text_frontend"))
def test_golden_phonemes_and_ids_are_those_of_vall_e_x(example: dict[str, Any]) -> None:
    (language,) = example["language"]
    for package in PACKAGES[language]:
        pytest.importorskip(package, reason="pip install 'codecfake[generators]'")
    assert vallex_text.phonemes(example["text"], language) == example["phonemes"]
    assert vallex_text.ids(example["text"], language) == example["ids"]


def test_golden_vocabulary_is_that_of_vall_e_x() -> None:
    path = FOLDER / "vallex_text_frontend.json"
    if not path.is_file():
        pytest.skip(ABSENT)
    vocabulary = json.loads(path.read_text("utf-8"))["vocabulary"]
    assert {symbol: id_ for symbol, id_ in vocabulary.items() if id_ > 4} == vallex_text.IDS


@pytest.mark.parametrize("example", examples("amphion_text_frontend"))
def test_golden_phones_and_ids_are_those_of_amphion(example: dict[str, Any], tmp_path: Path) -> None:
    assert phones(example["text"], "en-us") == example["phones"]
    symbols = tmp_path / "symbols.dict"
    symbols.write_text(json.loads((FOLDER / "amphion_text_frontend.json").read_text("utf-8"))["toy_symbols_dict"])
    assert read_symbols(symbols).ids(example["phones"]) == example["ids"]


def test_a_phone_outside_the_table_is_named() -> None:
    assert SymbolTable(["a", "b"]).unknown(["a", "x", "b", "x"]) == ["x"]


@pytest.mark.parametrize("line", ["a", "a b", "<eps> 0"])
def test_a_damaged_table_of_symbols_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "symbols.dict"
    path.write_text(f"<eps> 0\n{line}\n")
    with pytest.raises(GeneratorError, match="line 2"):
        read_symbols(path)
