"""YAML files: every key once and as text, and the place of each value."""

from pathlib import Path

import pytest

from codecfake.base.validation import ConfigurationError, Place, read_document, read_yaml


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: duplicate key 'a' in lines 1 and 3; delete or rename one"),
        ("a:\n  b: {c: 1, c: 2}\n", ":2: duplicate key 'c' in lines 2 and 2"),
        ("a:\n- {x: 1}\n- x: 1\n  x: 2\n", ":4: duplicate key 'x' in lines 3 and 4"),
        ("NO: 1\n", ":1: YAML reads the key NO as false; write it in quotes: 'NO'"),
        ("sources: {on: 1}\n", ":1: YAML reads the key on as true; write it in quotes: 'on'"),
        ("1.0e+3: 1\n", ":1: YAML reads the key 1.0e+3 as the number 1000.0; write it in quotes: '1.0e+3'"),
        ("1: 1\n", ":1: YAML reads the key 1 as the number 1; write it in quotes"),
        ("? [a, b]\n: 1\n", ":1: a key must be text"),
        ("- a\n", ":1: expected a mapping of settings, found ['a']; write `key: value` for each setting"),
        ("", ":1: it is empty; write `key: value` for each setting"),
        ("# a\n", ":1: it is empty"),
        ("text\n", ":1: expected a mapping of settings, found 'text'"),
        ("a: 1\nb: [1\n", ":2: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got"),
        ("a: 1\n\tb: 2\n", ":2: not valid YAML: while scanning for the next token, found character '\\t' that cannot "),
        ("a: 1\n\tb: 2\n", "; indent with spaces, not with tabs"),
        ("a: 1: 2\n", ":1: not valid YAML: mapping values are not allowed here"),
        ("a: *b\n", ":1: not valid YAML: found undefined alias 'b'"),
        (
            "a: 1\n---\nb: 1\n",
            ":1: not valid YAML: expected a single document in the stream, but found another document",
        ),
        ("a: !!python/object:os.system 1\n", ":1: not valid YAML: could not determine a constructor for the tag"),
        ("a: 1\n<<: 3\n", ":1: not valid YAML: while constructing a mapping, expected a mapping or list of mappings"),
        ("a: \x07\n", ": not valid YAML: unacceptable character #x0007"),
    ],
)
def test_a_file_that_would_not_be_read_as_it_looks_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        read_yaml(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_all_keys_at_fault_are_listed_in_the_order_of_their_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_yaml(write(tmp_path, "a: {b: 1, b: 2}\nyes: 1\na: 2\n"))
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["1", "2", "3"]


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_bytes("a: Müller\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"file\.yaml:1: not UTF-8 text .*probably WINDOWS-1252; convert it"):
        read_yaml(tmp_path / "file.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a folder or a device, not a text file; name a file"):
        read_yaml(tmp_path)


def test_aliases_and_merged_keys_are_no_repetition(tmp_path: Path) -> None:
    values = read_yaml(write(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n"))
    assert values == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (("a", "x"), Place(2, 2, "NO")),
        (("b", "x"), Place(2, 2, "NO")),  # merged: where it is written
        (("b", "y"), Place(3, 2, None)),  # in quotes
        (("c", "1"), Place(6, 2, "7")),
        (("a", "z", "w"), Place(1, 1, None)),  # the nearest that is there
        ((), Place(1, 0, None)),
    ],
)
def test_a_value_is_found_by_its_keys(tmp_path: Path, keys: tuple[str, ...], place: Place) -> None:
    document = read_document(write(tmp_path, 'a: &a\n  x: NO\nb: {<<: *a, y: "NO"}\nc:\n- 5\n- 7\n'))
    assert document.place(keys) == place
