"""Whatever is written in a legal form is read back whole; whatever is cut is named; nothing is lost in silence."""

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores

Trials = list[tuple[str, float, bool]]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def contents(file: ScoreFile) -> Trials:
    assert file.problems == ()
    scores = [0.0] * len(file.names) if file.scores is None else file.scores.tolist()
    return list(zip(file.names, scores, [] if file.bonafide is None else file.bonafide.tolist(), strict=True))


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12)
SAFE = NAMES.map(lambda name: "u" + "".join(letter for letter in name if letter not in ',;|"/\\') + "_")
SCORES = st.floats(allow_nan=False, allow_infinity=False).filter(lambda score: score not in (0.0, 1.0))
ROWS = st.lists(st.tuples(SAFE, SCORES, st.booleans()), min_size=4, max_size=30, unique_by=lambda row: row[0])
WORDS = [
    ("bonafide", "spoof"),
    ("bona-fide", "spoof"),
    ("real", "fake"),
    ("Genuine", "Deepfake"),
    ("1", "0"),
    ("True", "False"),
]
LAYOUTS = [
    "{n}{s}{x}{s}{k}",
    "{n}{s}{k}{s}{x}",
    "SPK{s}{n}{s}{x}{s}{k}",
    "{n}{s}-{s}A07{s}{k}{s}{x}",
    "{k}{s}{x}{s}{n}",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, words=st.sampled_from(WORDS), layout=st.sampled_from(LAYOUTS), separator=st.sampled_from("\t,;| "),
       end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans())  # fmt: skip
def test_scores_in_any_layout_come_back_whole(
    tmp_path: Path, rows: Trials, words: tuple[str, str], layout: str, separator: str, end: str, bom: bool
) -> None:
    rows = [(name, score, place % 2 == 0) for place, (name, score, _) in enumerate(rows)]
    lines = [layout.format(n=name, x=repr(score), k=words[not bonafide], s=separator) for name, score, bonafide in rows]
    path = write(tmp_path / "s.txt", "\ufeff" * bom + end.join(lines) + end)
    assert contents(read_scores(path, bonafide_digit="1")) == rows


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(NAMES.filter(lambda name: not set(name) & set("/\\\ufeff")), SCORES, st.booleans()),
                     min_size=1, max_size=30, unique_by=lambda row: row[0]))  # fmt: skip
def test_any_name_comes_back_whole_from_csv(tmp_path: Path, rows: Trials) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["file", "score", "label"])
    writer.writerows([f"{name}.wav", repr(score), "real" if bonafide else "fake"] for name, score, bonafide in rows)
    assert contents(read_scores(write(tmp_path / "s.csv", text.getvalue()))) == rows


KEYS = {
    "2019": "LA_1 {n} - A07 {k}",
    "2021 LA": "LA_1 {n} alaw ita_tx A07 {k} notrim eval",
    "2021 PA": "PA_1 {n} R1 M1 d1 r1 m1 s1 c1 {k} notrim eval",
    "2021 DF": "LA_1 {n} nocodec asvspoof A14 {k} notrim eval vocoder - - - -",
    "ASVspoof 5": "E_1 {n} F C05 2 - AC1 A17 {k} -",
    "CoRS": "p225 {n} {k}",
    "CoSG": "TTS {n} Mvq None Freq {k}",
    "CtrSVDD": "m4singer 7 {n} - A09 {k}",
    "Codecfake": "{n} {k} 1",
    "bare": "{n} {k}",
}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, form=st.sampled_from(sorted(KEYS)), words=st.sampled_from(WORDS[:4]))
def test_keys_of_every_form_come_back_whole(tmp_path: Path, rows: Trials, form: str, words: tuple[str, str]) -> None:
    rows = [(name, 0.0, place % 2 == 0) for place, (name, _, _) in enumerate(rows)]
    lines = [KEYS[form].format(n=name, k=words[not bonafide]) for name, _, bonafide in rows]
    assert contents(read_protocol(write(tmp_path / "p.txt", "\n".join(lines)))) == rows


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, data=st.data())
def test_a_line_that_is_cut_is_named(tmp_path: Path, rows: Trials, data: st.DataObject) -> None:
    lines = [f"{name}\t{score!r}\t{'real' if place % 2 else 'fake'}" for place, (name, score, _) in enumerate(rows)]
    place = data.draw(st.integers(0, len(lines) - 1))
    lines[place] = lines[place].rsplit("\t", 1)[0]
    file = read_scores(write(tmp_path / "s.txt", "\n".join(lines)))
    assert [problem.line for problem in file.problems] == [place + 1]
    assert len(file.names) == len(rows) - 1


CELLS = st.sampled_from(
    ["a", "u1", "0", "1", "0.5", "-3", "real", "spoof", "True", "", "-", "eval", "hidden", "Output", '"', "nan"]
)
ANY_LINES = st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=ANY_LINES,
    separator=st.sampled_from(["\t", ",", ";", "|", " ", ", "]),
    text=st.text(st.characters(exclude_characters="\ufeff"), max_size=30),
)
def test_any_text_is_read_whole_or_refused(tmp_path: Path, lines: list[list[str]], separator: str, text: str) -> None:
    content = "\n".join([*map(separator.join, lines), text]).replace("\r", "").encode("utf-8", "replace")
    path = tmp_path / "s.txt"
    path.write_bytes(content)
    for read in (read_scores, read_protocol):
        try:
            file = read(path, bonafide_digit="1")
        except VerificationError:
            continue
        num_lines = sum(bool(line.strip()) for line in content.decode().lstrip("\ufeff").split("\n"))
        header = "a header" in file.form
        assert len(file.names) + len(file.problems) + file.skipped + header == num_lines
