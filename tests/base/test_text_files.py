"""Text files from outside: what is written is read back whole, and what is not UTF-8 is named."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecfake.base import text_files
from codecfake.base.text_files import TextError

CUT_BY_SPLITLINES = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
LETTERS = st.characters(exclude_characters="\n\r\0\ufeff", exclude_categories=("Cs",)) | st.sampled_from(
    CUT_BY_SPLITLINES
)
LINES = st.lists(st.text(LETTERS))


def write(folder: Path, data: bytes) -> Path:
    path = folder / "list.txt"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("texts")


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.integers(0, 3))
def test_every_line_is_read_back_whatever_its_letters_line_ends_mark_and_blank_last_lines(
    folder: Path, texts: list[str], end: str, mark: bool, blank_lines: int
) -> None:
    text = "".join(line + end for line in texts) + end * blank_lines
    path = write(folder, text.encode("utf-8-sig" if mark else "utf-8"))
    expected = [(number, line) for number, line in enumerate(texts, start=1) if line.strip()]
    assert [(line.number, line.text) for line in text_files.lines(path)] == expected


def test_marks_of_files_that_were_concatenated_are_taken_off(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n".encode("utf-8-sig") + "b\n".encode("utf-8-sig"))
    assert [line.text for line in text_files.lines(path)] == ["a", "b"]


# the mark of UTF-16 and a NUL are the mark of UTF-32
WITHOUT_NUL = st.text(st.characters(exclude_characters="\0"), min_size=1)


@given(WITHOUT_NUL, st.sampled_from(["utf-16", "utf-32"]))
def test_text_of_wide_letters_with_a_mark_is_named_with_the_command_that_converts_it(
    folder: Path, text: str, encoding: str
) -> None:
    path = write(folder, text.encode(encoding, "replace"))
    with pytest.raises(TextError, match=f"{encoding.upper()} text, not UTF-8; .*`iconv -f {encoding.upper()} -t UTF-8"):
        text_files.read(path)


WESTERN = st.text(st.sampled_from("abcdefghij ,\n"), min_size=1)


@given(WESTERN, st.sampled_from("äöüßéèñçøÅ"), WESTERN)
def test_text_of_windows_is_named_with_line_and_encoding(folder: Path, before: str, letter: str, after: str) -> None:
    path = write(folder, f"{before}{letter}{after}".encode("cp1252"))
    with pytest.raises(TextError) as error:
        text_files.read(path)
    assert str(error.value).startswith(f"{path}:{before.count(chr(10)) + 1}: not UTF-8 text (byte 0x")
    assert "probably WINDOWS-1252; convert it, e.g. with `iconv -f WINDOWS-1252 -t UTF-8 " in str(error.value)


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "gb2312"])
def test_chinese_text_of_the_national_standards_is_named_with_its_line(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "SSB00050001.wav\tguang3\nSSB00050002.wav\t广 guang3 州 zhou1\n".encode(encoding))
    with pytest.raises(TextError, match=r"list\.txt:2: not UTF-8 text .*probably GB18030; .*`iconv -f GB18030"):
        text_files.read(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_letters_are_recognized_without_a_mark(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "path,speaker\na.wav,Jürgen\n".encode(encoding))
    with pytest.raises(TextError, match=encoding.upper().replace("-LE", "LE").replace("-BE", "BE")):
        text_files.read(path)


def test_a_damaged_line_of_utf8_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    path = write(tmp_path, "广州\n北京\n".encode() + "上".encode()[:2])
    with pytest.raises(TextError, match=r"list\.txt:3: .*unlike most of the file; correct this line"):
        text_files.read(path)


def test_a_spreadsheet_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"list\.txt:2: a NUL byte, .*Export it as text"):
        text_files.read(write(tmp_path, b"PK\x03\x04 a spreadsheet\n has many bytes \0 of other kinds"))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="no such file"):
        text_files.read(tmp_path / "nowhere.txt")
    with pytest.raises(TextError, match=re.escape(f"{tmp_path}: a folder or a device")):
        text_files.read(tmp_path)


def test_a_line_longer_than_any_row_is_refused_before_it_is_split(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\n" + b"b " * (text_files.LONGEST_LINE // 2))
    assert [line.number for line in text_files.lines(path)] == [1, 2]
    path.write_bytes(path.read_bytes() + b"b")
    with pytest.raises(TextError, match="list.txt:2: a line of 100,001 characters, at most 100,000; write one row"):
        list(text_files.lines(path))
