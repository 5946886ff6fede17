"""YAML that stands for more than its size, or cannot be read: refused with its line, within seconds."""

import time
from pathlib import Path

import pytest
import yaml

from codecfake.base import bounded_yaml
from codecfake.base.validation import ConfigurationError, read_document, require_syntax

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{k}: &a{k} [{','.join([f'*a{k - 1}'] * 10)}]\n" for k in range(1, 9)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}]}}\n" for k in range(1, 40))
HARMFUL = {
    "aliases of aliases": (BOMB + "title: *a8\n", ":5: not valid YAML: more than 100,000 values, with those that"),
    "merged keys of merged keys": (MERGED, "more than 100,000 values"),
    "a value that contains itself": ("title: &a [*a]\n", ":1: not valid YAML: the value contains itself"),
    "deep lists": (f"title: {'[' * 5000}{']' * 5000}\n", ":1: not valid YAML: lists or mappings in more than 100"),
    "deep blocks": (''.join(' ' * k + 'a:\n' for k in range(600)), "not valid YAML: it is nested too deeply"),
    "a number of many digits": (f"title: x\nseed: {'9' * 6000}\n", ":2: not valid YAML: a number of 6,000 digits"),
    "a key of many digits": (f"? {'9' * 6000}\n: 1\n", ":1: not valid YAML: a number of 6,000 digits"),
    "a day that does not exist": ("a: 1\nday: 2026-02-31\n", ":2: not valid YAML: day is out of range for month"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HARMFUL)
def test_yaml_that_asks_for_too_much_is_refused_with_file_and_line(kind: str, tmp_path: Path) -> None:
    text, message = HARMFUL[kind]
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    start = time.monotonic()
    for read in (read_document, require_syntax):
        with pytest.raises(ConfigurationError) as error:
            read(path)
        assert str(error.value).startswith(str(path))
        assert message in str(error.value)
        assert len(str(error.value)) < 1000
    with pytest.raises(yaml.YAMLError):
        bounded_yaml.load(text)
    assert time.monotonic() - start < 20


def test_aliases_and_long_numbers_of_ordinary_files_are_read() -> None:
    text = "a: &a [1, 2]\nb: [*a, *a]\nc: {<<: &m {x: 1}, y: 2}\nd: " + "9" * 100 + "\n"
    assert bounded_yaml.load(text) == yaml.safe_load(text)
