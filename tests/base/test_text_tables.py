"""Tables in text files: whatever is written in a legal form is read back whole, and whatever is cut is named."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from codecfake.base.text_files import TextError
from codecfake.base.text_tables import BARS, BLANKS, COMMAS, SEMICOLONS, TABS, CellError, Row, cells, rows

COLUMNS = ["path", "speaker", "text"]
CUT_BY_SPLITLINES = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
LETTERS = st.characters(exclude_characters="\n\r\0\ufeff", exclude_categories=("Cs",)) | st.sampled_from(
    CUT_BY_SPLITLINES + "\"',;|\t "
)
CELLS = st.text(LETTERS).map(str.strip)
FIRST_CELLS = CELLS.filter(bool)
TABLES = st.lists(st.tuples(FIRST_CELLS, CELLS, CELLS))
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
PLAIN = [TABS, BARS]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "list.csv"


def read(path: Path, text: str, delimiter: str) -> list[Row]:
    path.write_text(text, encoding="utf-8", newline="")
    return list(rows(path, [delimiter], COLUMNS))


def cells_of(table: list[Row]) -> list[tuple[str, ...]]:
    return [tuple(row.cells[column] for column in COLUMNS) for row in table]


@given(TABLES, st.sampled_from([COMMAS, SEMICOLONS]), ENDS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_the_csv_module_writes_is_read_back_whole(
    path: Path, table: list[tuple[str, ...]], delimiter: str, end: str, quoting: int
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([COLUMNS, *table])
    assert cells_of(list(rows(path, [delimiter], COLUMNS))) == table


@given(TABLES)
def test_what_pandas_writes_is_read_back_whole(path: Path, table: list[tuple[str, ...]]) -> None:
    pd.DataFrame(table, columns=COLUMNS).to_csv(path)  # with its index, a column without a name
    assert cells_of(list(rows(path, [COMMAS], COLUMNS))) == table


@given(TABLES, st.sampled_from(PLAIN), ENDS, st.booleans())
def test_tabs_and_bars_have_no_quoting(
    path: Path, table: list[tuple[str, ...]], delimiter: str, end: str, last_end: bool
) -> None:
    assume(not any(delimiter in cell for row in table for cell in row))
    text = end.join(delimiter.join(row) for row in [tuple(COLUMNS), *table]) + end * last_end
    assert cells_of(read(path, text, delimiter)) == table


@given(st.lists(st.text(LETTERS, min_size=1).filter(lambda cell: not set(cell) & set(" \t")), min_size=1))
def test_blanks_split_cells_however_many_there_are(row: list[str]) -> None:
    assert cells("  ".join(row) + " \t", BLANKS) == row


@given(TABLES.filter(bool), st.sampled_from(PLAIN), st.data())
def test_a_row_that_was_cut_or_grew_is_named_with_its_line(
    path: Path, table: list[tuple[str, ...]], delimiter: str, data: st.DataObject
) -> None:
    assume(not any(delimiter in cell for row in table for cell in row))
    number = data.draw(st.integers(0, len(table) - 1))
    lines = [delimiter.join(row) for row in [tuple(COLUMNS), *table]]
    row = list(table[number])
    lines[number + 1] = delimiter.join(data.draw(st.sampled_from([row[:1], row[:2], [*row, "x"]])))
    with pytest.raises(TextError) as error:
        read(path, "\n".join(lines), delimiter)
    assert str(error.value).startswith(f"{path}:{number + 2}: the number of cells differs from the header")


@given(TABLES, CELLS.filter(lambda cell: '"' not in cell), TABLES)
def test_an_unclosed_quotation_mark_hides_no_line(
    path: Path, before: list[tuple[str, ...]], cell: str, after: list[tuple[str, ...]]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *before])
        file.write(f'a.wav,p225,"{cell}\n')
        writer.writerows(after)
    with pytest.raises(TextError) as error:
        list(rows(path, [COMMAS], COLUMNS))
    assert str(error.value).startswith(f"{path}:{len(before) + 2}: ")


@given(CELLS, CELLS, ENDS)
def test_a_line_break_within_a_cell_is_named_with_its_line(path: Path, start: str, rest: str, end: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        row = ["a.wav", "p225", f"{start}{end}{rest}"]
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([COLUMNS, row])
    with pytest.raises(TextError, match=r"list\.csv:2: .*must not contain line breaks"):
        list(rows(path, [COMMAS], COLUMNS))


def test_a_quotation_mark_within_a_tab_separated_row_is_a_letter(path: Path) -> None:
    text = 'path\tspeaker\ttext\na.wav\tp1\t"And then she left\nb.wav\tp2\t"yes"\nc.wav\tp3\tyes" again\n'
    assert [row[2] for row in cells_of(read(path, text, TABS))] == ['"And then she left', '"yes"', 'yes" again']


@pytest.mark.parametrize("line", ['"a', 'a,"b', '"a"b,c', '"a,""b', '"'])
def test_a_quotation_mark_that_is_not_closed_at_the_end_of_its_cell_is_no_cell(line: str) -> None:
    with pytest.raises(CellError, match="not closed at its end"):
        cells(line, COMMAS)


def test_the_first_delimiter_that_gives_the_columns_is_used(path: Path) -> None:
    for delimiter in (TABS, SEMICOLONS, BARS, BLANKS):
        path.write_text(f"path{delimiter}speaker\na,b.wav{delimiter}p225\n", encoding="utf-8")
        (row,) = rows(path, [COMMAS, SEMICOLONS, TABS, BARS, BLANKS], ["path", "speaker"])
        assert row.cells == {"path": "a,b.wav", "speaker": "p225"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; its first line must name the columns path, speaker, text"),
        ("\n \n", "the file is empty"),
        ("path,speaker\n", r":1: no column 'text'; the header's columns are path, speaker"),
        ("path,speaker,text,speaker\na,b,c,d\n", r":1: column 'speaker' is there twice"),
    ],
)
def test_a_faulty_header_is_refused(path: Path, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        read(path, text, COMMAS)


def test_a_quoted_header_between_tabs_is_explained(path: Path) -> None:
    with pytest.raises(TextError, match="no column 'path'; .*tabs are written without quotation marks"):
        read(path, '"path"\t"speaker"\t"text"\n', TABS)


def test_rows_of_blank_cells_and_columns_without_a_name_hold_nothing(path: Path) -> None:
    assert cells_of(read(path, "path,speaker,text,,\na,b,c,,\n,,,,\n\n", COMMAS)) == [("a", "b", "c")]
