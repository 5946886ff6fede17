"""Text to phones by a table and a dictionary: nothing is guessed, and a wrong file is one clear line."""

from pathlib import Path

import pytest
import small_generators
from small_generators import CPU

from codecfake import generators
from codecfake.generators import GeneratorError, lexicon_text

PHONES = "N_B\nOW1_E\nY_B\nEH1_I\nS_E\n"
LEXICON = "no N_B OW1_E\nYes Y_B EH1_I S_E\n.\n"


def write(folder: Path, phones: str = PHONES, lexicon: str = LEXICON) -> Path:
    (folder / "phones.txt").write_text(phones)
    (folder / "lexicon.txt").write_text(lexicon)
    return folder


def test_ids_are_the_lines_of_the_phones_of_the_prompt_and_then_of_the_text(tmp_path: Path) -> None:
    lexicon = lexicon_text.read(str(write(tmp_path)), most_phones=5)
    assert lexicon.ids("Yes.", "NO", "en") == ([0, 1, 2, 3, 4], None)
    assert lexicon.fault("Yes.", "NO", "en") is None


def test_unknown_words_and_marks_are_named_once(tmp_path: Path) -> None:
    lexicon = lexicon_text.read(str(write(tmp_path)), most_phones=5)
    assert lexicon.fault("Yes, maybe", "maybe", "en") == "lexicon.txt has no 'maybe', ','"
    assert lexicon.fault("Yes", "No", "zh") == "the language is 'zh'; this generator speaks 'en'"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"lexicon": "no N_B AX_E\n"}, r"lexicon.txt, line 1: phones.txt has no phone 'AX_E'"),
        ({"lexicon": "no N_B\nNo N_B\n"}, r"lexicon.txt, line 2: 'No' is not one new word"),
        ({"lexicon": "no-no N_B\n"}, r"lexicon.txt, line 1: 'no-no' is not one new word"),
        ({"lexicon": ""}, r"lexicon.txt, line 1: it is empty"),
        ({"phones": "N_B\n\nOW1_E\n"}, r"phones.txt, line 2: it is empty"),
        ({"phones": "N_B\nN_B\n"}, r"phones.txt, line 2: 'N_B' is not one new phone"),
        ({"phones": "N_B 0\n"}, r"phones.txt, line 1: 'N_B 0' is not one new phone"),
        ({"phones": PHONES + "Z_E\n"}, r"phones.txt: 6 phones, the network has 5"),
    ],
)
def test_a_wrong_table_names_its_line(files: dict[str, str], fault: str, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=fault):
        lexicon_text.read(str(write(tmp_path, **files)), most_phones=5)


def test_a_generator_speaks_the_words_of_its_dictionary_alone(tmp_path: Path) -> None:
    model = {**generators.entry("valle-v2").small, "tables": str(write(tmp_path))}
    generator = small_generators.build("valle-v2", model=model)
    (item,) = small_generators.items(generator, ("No.",))
    assert generator.check(item) == "lexicon.txt has no 'oh'"


@pytest.mark.parametrize("tables", ["", "folder"])
def test_a_generator_without_its_tables_says_what_to_give(tables: str, tmp_path: Path) -> None:
    place = str(tmp_path / tables) if tables else ""
    model = {**generators.entry("valle-v2").small, "tables": place}
    with pytest.raises(GeneratorError, match=r"phones.txt \(one phone a line.*lexicon.txt \(a word"):
        generators.build(small_generators.settings("valle-v2", model=model), CPU)
