"""Tables and lists of corpora as they occur: read whole, or refused with file, line and remedy."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecfake import corpora
from codecfake.base.control_characters import control_character
from codecfake.corpora.listing import CorpusError, Listing

EXAMPLES = settings(max_examples=50)
LETTERS = st.characters(exclude_characters="\ufeff", exclude_categories=("Cs",))
TEXTS = st.text(LETTERS.filter(lambda letter: not control_character(letter)) | st.sampled_from("\"',"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recordings 0.wav to 9.wav; a reader never decodes them."""
    folder = tmp_path_factory.mktemp("corpus")
    audio(folder, *(f"{number}.wav" for number in range(10)))
    return folder


def audio(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def read(layout: str, root: Path, **options: object) -> Listing:
    return corpora.layout(layout).utterances(root, options)


def read_table(root: Path, text: str | bytes, name: str = "list.csv") -> Listing:
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read("listed", root, table=name, key="real", language="en")


# --- listed ---


@given(st.lists(TEXTS, max_size=10))
@EXAMPLES
def test_texts_between_tabs_are_kept_letter_by_letter(root: Path, texts: list[str]) -> None:
    lines = [f"{number}.wav\t{text}\n" for number, text in enumerate(texts)]
    if lines:
        listing = read_table(root, "path\ttext\n" + "".join(lines), "list.tsv")
        assert [one.text for one in listing.utterances] == [text.strip() or None for text in texts]


@given(st.lists(TEXTS, min_size=1, max_size=10), st.sampled_from(",;"), st.sampled_from(["\n", "\r\n"]), st.booleans())
@EXAMPLES
def test_quoted_texts_are_kept_letter_by_letter(
    root: Path, texts: list[str], delimiter: str, end: str, mark: bool
) -> None:
    with (root / "list.csv").open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
        writer.writerows([("path", "text"), *((f"{number}.wav", text) for number, text in enumerate(texts))])
        file.write(end * 2)
    listing = read("listed", root, table="list.csv", key="real", language="en")
    assert [one.text for one in listing.utterances] == [text.strip() or None for text in texts]


@given(st.integers(0, 9), st.sampled_from(['"never closed', 'a "b', '"a" b,c', "one,more"]))
@EXAMPLES
def test_a_row_that_would_hide_others_is_named(root: Path, number: int, text: str) -> None:
    texts = ["as usual"] * number + [text if '"' in text[:1] or "," in text else f'"{text}'] + ["as usual"]
    lines = [f"{place}.wav,{text}\n" for place, text in enumerate(texts[:10])]
    with pytest.raises(CorpusError, match=rf"list\.csv:{number + 2}: "):
        read_table(root, "path,text\n" + "".join(lines))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "path,speaker\n0.wav,p1\n"),
        ("list.csv", '"path", "speaker"\n"0.wav", "p1"\n'),
        ("list.csv", "path;speaker\n0.wav;p1\n"),
        ("list.csv", "path|speaker\n0.wav|p1\n"),
        ("list.csv", "path\tspeaker\r\n0.wav\tp1\r\n\r\n"),
        ("list.csv", "\ufeff\n \npath,speaker,,\n\n0.wav,p1,,\n,,,\n"),
        ("list.tsv", "path\tspeaker\r0.wav\tp1\r"),
        ("list.txt", "path  speaker\n0.wav   p1\n"),
        ("list.txt", "path\tspeaker\n0.wav\tp1\n\n\n"),
    ],
)
def test_a_table_is_read_with_the_delimiter_that_its_header_has(root: Path, name: str, text: str) -> None:
    (utterance,) = read_table(root, text, name).utterances
    assert (utterance.path, utterance.speaker_id) == ("0.wav", "p1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,text\n0.wav,Müller\n".encode("cp1252"),
            r"list\.csv:2: not UTF-8 .*`iconv -f WINDOWS-1252 -t UTF-8 list",
        ),
        ("path,text\n0.wav,x\n".encode("utf-16"), r"list\.csv: UTF-16 text, not UTF-8; .*`iconv -f UTF-16"),
        ("path,text\n0.wav,广州\n".encode("gb18030"), r"list\.csv:2: .*`iconv -f GB18030"),
        (b"path,text\n0.wav,a\0b\n", r"list\.csv:2: a NUL byte"),
        (b"", r"list\.csv: the file is empty"),
        ("path,text,text\n0.wav,a,b\n", r"list\.csv:1: column 'text' is there twice"),
        ("path,text\nclips\\0.wav,a\n", r"list\.csv:2: .*backslashes, as on Windows; .*'clips/0\.wav'"),
        ("path,text\nC:\\data\\0.wav,a\n", r"list\.csv:2: .*relative to the corpus's root: 'data/0\.wav'"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_remedy(root: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read_table(root, text)


# --- names in two Unicode forms ---

ACCENTED = st.text(st.sampled_from("éüñçÅộ한gaz語"), min_size=1, max_size=8)


@given(st.sets(ACCENTED, min_size=1, max_size=5), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["NFC", "NFD"]))
@EXAMPLES
def test_names_match_in_either_form_one_to_one(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], of_disk: str, of_table: str
) -> None:
    root = tmp_path_factory.mktemp("forms")
    paths = sorted(f"{name}/{name}.wav" for name in names)
    audio(root, *(unicodedata.normalize(of_disk, path) for path in paths))
    spellings = [unicodedata.normalize(of_table, path) for path in paths]
    listing = read_table(root, "path\n" + "".join(f"{path}\n" for path in spellings))
    assert not listing.rejections
    assert sorted(one.path for one in listing.utterances) == sorted(unicodedata.normalize(of_disk, p) for p in paths)
    assert {one.utterance_id for one in listing.utterances} == {Path(path).stem for path in spellings}


def test_two_files_that_look_the_same_are_refused(tmp_path: Path) -> None:
    audio(tmp_path, unicodedata.normalize("NFC", "é.wav"), unicodedata.normalize("NFD", "é.wav"))
    with pytest.raises(CorpusError, match=r"list\.csv:2: .*has 2 files of this name, in different Unicode forms"):
        read_table(tmp_path, "path\né.wav\n")
    with pytest.raises(CorpusError, match="appears twice"):
        read("listed", tmp_path, key="real", language="en")


def test_one_file_in_two_rows_of_different_forms_is_refused(tmp_path: Path) -> None:
    audio(tmp_path, "é.wav")
    rows = [unicodedata.normalize(form, "é.wav") for form in ("NFC", "NFD")]
    with pytest.raises(CorpusError, match=r"list\.csv:3: .*the same file as at .*list\.csv:2, in another Unicode form"):
        read_table(tmp_path, f"path,utterance_id\n{rows[0]},a\n{rows[1]},b\n")


def test_one_speaker_in_two_forms_is_refused(root: Path) -> None:
    names = [unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")]
    with pytest.raises(CorpusError, match=r"two Unicode forms \('Zo\\xeb' and 'Zoe\\u0308'\)"):
        read_table(root, f"path,speaker\n0.wav,{names[0]}\n1.wav,{names[1]}\n")


def test_in_the_wild_matches_names_in_either_form(tmp_path: Path) -> None:
    audio(tmp_path, unicodedata.normalize("NFD", "é.wav"))
    (tmp_path / "meta.csv").write_text("file,speaker,label\né.wav,Someone,spoof\n", encoding="utf-8")
    listing = read("in_the_wild", tmp_path)
    assert [(one.path, one.utterance_id) for one in listing.utterances] == [
        (unicodedata.normalize("NFD", "é.wav"), unicodedata.normalize("NFD", "é"))
    ]


# --- lists of AISHELL-3 and ASVspoof 2019 ---


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_may_have_a_byte_order_mark_any_line_ends_and_blank_lines(tmp_path: Path, mark: bytes, end: str) -> None:
    audio(tmp_path, "train/wav/SSB0011/SSB00110001.wav", "train/wav/SSB0011/SSB00110002.wav")
    lines = ["SSB00110001.wav\t我 wo3\u2028\x85 知 zi1", "", "SSB00110002.wav\t道 dao4", " ", "", ""]
    (tmp_path / "train/content.txt").write_bytes(mark + end.join(lines).encode())
    assert [one.text for one in read("aishell3", tmp_path).utterances] == ["我知", "道"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("blank", [" ", "\t", "  "])
def test_protocols_may_too(tmp_path: Path, mark: bytes, end: str, blank: str) -> None:
    audio(tmp_path, "LA/ASVspoof2019_LA_dev/flac/a.flac", "LA/ASVspoof2019_LA_dev/flac/b.flac")
    protocol = tmp_path / "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt"
    protocol.parent.mkdir()
    lines = [blank.join(line) for line in (["LA_1", "a", "-", "-", "bonafide"], ["LA_1", "b", "-", "A01", "spoof"])]
    protocol.write_bytes(mark + end.join([*lines, "", "", ""]).encode())
    listing = read("asvspoof2019la", tmp_path, splits=["dev"])
    assert [(one.utterance_id, one.speaker_id) for one in listing.utterances] == [("a", "LA_1"), ("b", "LA_1")]


def test_lists_of_chinese_standards_are_named_with_their_line(tmp_path: Path) -> None:
    audio(tmp_path, "train/wav/SSB0011/SSB00110001.wav")
    (tmp_path / "train/content.txt").write_bytes("SSB00110001.wav\t我 wo3\n".encode("gb18030"))
    with pytest.raises(CorpusError, match=r"content\.txt:1: not UTF-8 text .*`iconv -f GB18030 -t UTF-8 content\.txt"):
        read("aishell3", tmp_path)


def test_a_second_text_of_an_utterance_is_named(tmp_path: Path) -> None:
    audio(tmp_path, "train/wav/SSB0011/SSB00110001.wav")
    (tmp_path / "train/content.txt").write_text("SSB00110001.wav\t我 wo3\nSSB00110001.wav\t道 dao4\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"content\.txt:2: SSB00110001 is listed a second time"):
        read("aishell3", tmp_path)
