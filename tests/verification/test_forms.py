"""Key and score files of the field are read by what stands in them; two readings are an error that names both."""

import re
from pathlib import Path

import pytest

from codecfake.__main__ import main
from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores
from codecfake.verification.single import EerSettings, answer

Trials = list[tuple[str, float, bool]]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def contents(file: ScoreFile) -> Trials:
    assert file.problems == ()
    scores = [0.0] * len(file.names) if file.scores is None else file.scores.tolist()
    return list(zip(file.names, scores, [] if file.bonafide is None else file.bonafide.tolist(), strict=True))


# official files


@pytest.mark.parametrize(
    ("name", "first", "bonafide"),
    [
        ("ASVspoof2021.LA.trial_metadata.txt", "LA_E_9000001", [0, 0, 1, 0, 1]),
        ("ASVspoof2021.DF.trial_metadata.txt", "DF_E_9000001", [0, 0, 0, 0, 1]),
        ("ASVspoof2021.PA.trial_metadata.txt", "PA_E_9000001", [0, 0, 0, 1, 1]),
        ("ASVspoof5.train.tsv", "T_0000900001", [0, 1, 0, 0, 1]),
        ("ASVspoof5.eval.track_1.tsv", "E_0000900001", [0, 1, 0, 1, 0]),
        ("ASVspoof5.eval.track_2.trial.tsv", "E_0000900001", [0, 1, 1, 0, 1]),
        ("AntiDeepfake_protocol.csv", "EX-1", [0, 1, 0, 1, 0]),
        ("CoRS_labels.txt", "p225_001", [1, 0, 0, 0, 1]),
        ("CoSG_labels.txt", "EXAMPLETTS_1", [0, 1, 0, 1, 0]),
        ("Codecfake_label.txt", "SSB99990001", [1, 0, 0, 1, 0]),
        ("CtrSVDD_test.txt", "CtrSVDD_9999_E_0000001", [0, 1, 0, 0, 1]),
        ("In-the-Wild_meta.csv", "0", [0, 1, 0, 1, 1]),
        ("MLAAD_meta.csv", "book_01_f000001", [0, 0, 0, 0, 0]),
        ("SpoofCeleb_development.csv", "a00/id19318/AbCdEfGhIjK-00002-006", [1, 1, 0, 0, 0]),
    ],
)
def test_the_keys_of_every_corpus_are_read(shared: Path, name: str, first: str, bonafide: list[int]) -> None:
    protocol = read_protocol(shared / "formats" / name)
    assert protocol.names[0] == first
    assert protocol.bonafide is not None
    assert protocol.bonafide.astype(int).tolist() == bonafide


def test_a_table_of_paths_may_call_them_audio(tmp_path: Path) -> None:
    text = "audio,label,speaker_id,codec_name\nx/a.wav,real,p225,-\nx/b.wav,fake,p226,dac\n"
    assert contents(read_protocol(write(tmp_path / "keys.csv", text))) == [("a", 0.0, True), ("b", 0.0, False)]


LINES_2019 = {
    "LA": "LA_0039 LA_E_1 - A11 spoof\nLA_0014 LA_E_2 - - bonafide\n",
    "PA": "PA_0039 PA_E_1 aaa AA spoof\nPA_0014 PA_E_2 aaa - bonafide\n",
}


@pytest.mark.parametrize("track", LINES_2019)
def test_the_protocols_of_2019_are_read(tmp_path: Path, track: str) -> None:
    protocol = read_protocol(write(tmp_path / "p.txt", LINES_2019[track]))
    assert contents(protocol) == [(f"{track}_E_1", 0.0, False), (f"{track}_E_2", 0.0, True)]


def test_keys_and_scores_of_the_evaluation_package_of_asvspoof_5_are_read(tmp_path: Path) -> None:
    keys = write(tmp_path / "keys.tsv", "filename\tcm-label\nE_1\tbonafide\nE_2\tspoof\n")
    assert contents(read_protocol(keys)) == [("E_1", 0.0, True), ("E_2", 0.0, False)]
    with_sasv = "spk\tfilename\tcm-score\tasv-score\tsasv-score\nS1\tE_1\t0.5\t9\t8\nS1\tE_2\t-1\t7\t6\n"
    assert read_scores(write(tmp_path / "sasv.tsv", with_sasv)).scores.tolist() == [0.5, -1.0]  # type: ignore[union-attr]


# what stands in the columns decides, not their number


@pytest.mark.parametrize(
    "text",
    [
        "S1 a A07 bonafide eval_set 1.5\nS1 b A07 spoof eval_set -2\nS1 c - spoof eval_set 0\n",
        "1.5|a|x|real\n-2|b|x|fake\n0|c|x|fake\n",
        "bonafide,S1,1.5,a.wav\nspoof,S1,-2,b.wav\nspoof,S1,0,c.wav\n",
        "a\t-\t-\t-\t-\tGenuine\t1.5\nb\t-\t-\t-\t-\tDeepfake\t-2\nc\t-\t-\t-\t-\tSpoof\t0\n",
        "S1 a 1.5 bonafide bonafide\nS1 b -2 A01 spoof\nS1 c 0 A02 spoof\n",  # an attack called bonafide is no key
        "0,a.wav,real,1.5\n1,b.wav,fake,-2\n2,c.wav,fake,0\n",  # the number of the line is no score
        "a real 1 1.5\nb fake 0 -2\nc fake 0 0\n",  # a second spelling of the key is no score
        "recording,prediction,truth_label\na,1.5,real\nb,-2,fake\nc,0,fake\n",  # unknown names
        ",filename,score,label\n0,a,1.5,real\n1,b,-2,fake\n2,c,0,fake\n",  # as pandas writes it
    ],
)
def test_scores_are_recognized_in_any_order_of_columns(tmp_path: Path, text: str) -> None:
    assert contents(read_scores(write(tmp_path / "s.txt", text))) == [
        ("a", 1.5, True), ("b", -2.0, False), ("c", 0.0, False),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["LA_1 {} x y {} extra", "{} {} 7 7 7 7 7 7 7 7 7 7 7 7 7 7", "- - - - {} - {}"])
def test_keys_with_any_number_of_columns_are_read(tmp_path: Path, line: str) -> None:
    lines = [line.format(f"u{place}", "spoof" if place % 3 else "bonafide") for place in range(9)]
    protocol = read_protocol(write(tmp_path / "p.txt", "\n".join(lines)))
    assert contents(protocol) == [(f"u{place}", 0.0, place % 3 == 0) for place in range(9)]


def test_names_with_commas_and_quotes_are_whole_in_quoted_cells(tmp_path: Path) -> None:
    text = 'file,score,label\n"Doe, Jane.wav",0.5,real\n"he said ""no"".wav","0.25","fake"\n'
    assert contents(read_scores(write(tmp_path / "s.csv", text))) == [
        ("Doe, Jane", 0.5, True), ('he said "no"', 0.25, False),
    ]  # fmt: skip


def test_a_quote_that_is_not_closed_is_a_problem_of_its_line(tmp_path: Path) -> None:
    rows = "".join(f"u{place},{place},real\n" for place in range(9))
    file = read_scores(write(tmp_path / "s.csv", f'file,score,label\n{rows}"u9,9,real\nu10,1,fake\n'))
    assert [problem.line for problem in file.problems] == [11]
    assert "a quotation mark that is not closed" in file.problems[0].text
    assert len(file.names) == 10


def test_the_number_of_the_line_is_no_score(tmp_path: Path) -> None:
    text = "m4singer 1 E_1 - A09 deepfake\nm4singer 2 E_2 - - bonafide\nkising 3 E_3 - A12 deepfake\n"
    with pytest.raises(VerificationError, match="fits no form"):
        read_scores(write(tmp_path / "s.txt", text))


# labels


@pytest.mark.parametrize(("one", "zero"), [("1", "0"), ("1.0", "0.0"), ("True", "False"), ("true", "false")])
@pytest.mark.parametrize("bonafide_digit", ["0", "1"])
def test_digits_need_the_option_and_follow_it(tmp_path: Path, one: str, zero: str, bonafide_digit: str) -> None:
    scores = write(tmp_path / "s.csv", f"a,{one},0.5\nb,{zero},-0.5\nc,{zero},0.25\n")
    keys = write(tmp_path / "p.csv", f"a,{one}\nb,{zero}\nc,{zero}\n")
    for read, path in ((read_scores, scores), (read_protocol, keys)):
        with pytest.raises(
            VerificationError, match="does not tell which is bona fide; .*--bonafide-digit 1 or"
        ) as info:
            read(path)
        assert re.search("with 1 .*1 × bona fide and 2 × spoof, with 0 .*2 × bona fide and 1 × spoof", str(info.value))
        bonafide = read(path, bonafide_digit=bonafide_digit).bonafide
        assert bonafide is not None
        assert bonafide.tolist() == [bonafide_digit == digit for digit in "100"]


@pytest.mark.parametrize(
    ("name", "bonafide"), [("is_spoof", [False, True]), ("fake", [False, True]), ("is_bonafide", [True, False])]
)
def test_a_column_s_name_may_tell_what_its_digits_mean(tmp_path: Path, name: str, bonafide: list[bool]) -> None:
    path = write(tmp_path / "s.csv", f"file,score,{name}\na,0.5,1\nb,0.25,0\n")
    assert read_scores(path).bonafide.tolist() == bonafide  # type: ignore[union-attr]
    assert read_scores(path, bonafide_digit="1").bonafide.tolist() == [True, False]  # type: ignore[union-attr]


# logs of project-NN-Pytorch-scripts

LOG = "--- Loading ---\nOutput, a, 1, 2.5\nOutput, b, 0, -1.5\nOutput, c, 0, 1\nTesting done\n"


def test_the_lines_of_a_log_with_scores_are_read_and_the_others_counted(tmp_path: Path) -> None:
    file = read_scores(write(tmp_path / "log.txt", LOG))
    assert contents(file) == [("a", 2.5, True), ("b", -1.5, False), ("c", 1.0, False)]
    assert (file.skipped, file.lines.tolist()) == (2, [2, 3, 4])
    assert "1 is read as bona fide (as the file's form says)" in str(answer(file.path))
    assert "2 lines of the log without scores left out" in str(answer(file.path))


def test_scores_in_the_middle_of_a_line_of_a_log_are_not_lost_in_silence(tmp_path: Path) -> None:
    file = read_scores(write(tmp_path / "log.txt", LOG + "70%Output, d, 1, 2\n1, 2, 3 Output, e, 1, 2\n"))
    assert (file.names.tolist(), file.skipped) == (["a", "b", "c", "d"], 2)
    assert [problem.line for problem in file.problems] == [7]


def test_a_log_with_a_confidence_after_the_score_needs_the_option(tmp_path: Path) -> None:
    path = write(tmp_path / "log.txt", "Output, a, 1, 2.5, 9\nOutput, b, 0, -1.5, 8\n")
    with pytest.raises(VerificationError, match="column 4 or in column 5 .*--columns score=4 or score=5"):
        read_scores(path)
    assert read_scores(path, columns={"score": 3}).scores.tolist() == [2.5, -1.5]  # type: ignore[union-attr]


# AntiDeepfake

LOGITS = 'ID,Score,Label\na,"[-1.5, 2.0]",1\nb,"[3, -1]",0\nc,"[0.5,0.25]",0\n'


def test_two_logits_of_antideepfake_are_one_score(tmp_path: Path) -> None:
    path = write(tmp_path / "score.csv", LOGITS)
    assert contents(read_scores(path)) == [("a", 3.5, True), ("b", -4.0, False), ("c", -0.25, False)]
    assert "1 is read as bona fide (as the file's form says)" in str(answer(path, settings=EerSettings(resamples=0)))
    assert read_scores(path, bonafide_digit="0").bonafide.tolist() == [False, True, True]  # type: ignore[union-attr]


@pytest.mark.parametrize("cell", ["[1]", "[1, 2, 3]", "1.5", "[a, b]", ""])
def test_other_cells_among_logits_are_problems_of_their_lines(tmp_path: Path, cell: str) -> None:
    file = read_scores(write(tmp_path / "score.csv", f'{LOGITS}d,"{cell}",0\n'))
    assert [problem.line for problem in file.problems] == [5]
    assert f"score {cell!r} is not two logits" in file.problems[0].text


def test_scores_of_antideepfake_may_have_no_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "score.csv", 'ID,Score\na,"[-1.5, 2.0]"\nb,"[3, -1]"\n')
    assert read_scores(path).scores.tolist() == [3.5, -4.0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        LOGITS.replace("ID,Score,Label", "file,score,is_real"),
        "a\t[-1.5, 2.0]\treal\nb\t[3, -1]\tfake\nc\t[0.5,0.25]\tfake\n",
    ],
)
def test_two_logits_in_unknown_order_are_an_error_with_both_readings(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "s.csv", text)
    both = r"--bonafide-logit 1 or --bonafide-logit 0: with 1 .*\[-1.5, 2.0\] is 3.5, with 0 .*\[-1.5, 2.0\] is -3.5"
    with pytest.raises(VerificationError, match=both):
        answer(path)
    for logit, scores in ((1, [3.5, -4.0, -0.25]), (0, [-3.5, 4.0, 0.25])):
        file = read_scores(path, bonafide_logit=logit)
        assert contents(file) == list(zip("abc", scores, (True, False, False), strict=True))


def test_the_order_of_logits_is_named_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "s.csv", LOGITS)
    for logit, order, percent in (("1", "second", "0"), ("0", "first", "100")):
        main(["eer", str(path), "--bonafide-logit", logit, "--resamples", "0"])
        out = capsys.readouterr().out
        assert f"; the {order} logit is of bona fide speech)" in out
        assert out.endswith(f"s {percent}.000\n")


# two readings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 0.5 0.1 real\nb 0.4 0.7 fake\n", r"the score may be in column 2 \(0.5, .*\) or in column 3 .*score=2 or"),
        ("a 0.5 0.1\nb 0.4 0.7\n", "the score may be in column 2 .* or in column 3"),
        ("a 1 0\nb 0 0\nc 1 1\n", "the score may be in column 2 .* or in column 3"),
        ("a real fake 0.5\nb fake real 0.4\n", r"the key may be in column 2 .* or in column 3 .*--columns key=2 or"),
        ("a x 0.5 real 9 9\nb y 0.4 fake 9 9\n", "the score may be in column 3"),
        ("a x - 0.5 real\nb y - 0.4 fake\n", "the names of trials may be in column 1 .* or in column 2"),
        ("a,1 0.5\nb,2 0.4\nc,7 0.1\n", None),
    ],
)
def test_two_readings_are_an_error_that_names_both_and_the_option(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "s.txt", text)
    if message is None:
        assert read_scores(path).scores.tolist() == [0.5, 0.4, 0.1]  # type: ignore[union-attr]
        return
    with pytest.raises(VerificationError, match=message):
        read_scores(path)


def test_the_option_decides_between_readings(tmp_path: Path) -> None:
    path = write(tmp_path / "s.txt", "a real fake 0.5 0.1\nb fake real 0.4 0.7\n")
    file = read_scores(path, columns={"key": 1, "score": 4})
    assert contents(file) == [("a", 0.1, True), ("b", 0.7, False)]
    keys = write(tmp_path / "p.txt", "a real fake\nb fake real\n")
    with pytest.raises(VerificationError, match="--protocol-columns key=2 or key=3"):
        read_protocol(keys)
    assert contents(read_protocol(keys, columns={"key": 1})) == [("a", 0.0, True), ("b", 0.0, False)]


@pytest.mark.parametrize("text", ["a 0.5 real\nb 0.4 fake\n", "file,score\na,0.5\n", LOG])
def test_a_column_that_is_not_there_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(VerificationError, match="name the columns|fewer than --columns names"):
        read_scores(write(tmp_path / "s.txt", text), columns={"score": 9})


def test_columns_are_named_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "s.txt", "a real fake 0.5 0.1\nb fake real 0.4 0.7\n")
    main(["eer", str(path), "--columns", "key=3,score=5", "--resamples", "0"])
    assert capsys.readouterr().out.endswith("s 0.000\n")
    for wrong in ("key", "key=0", "speaker=1", "key=x"):
        with pytest.raises(SystemExit):
            main(["eer", str(path), "--columns", wrong])
        assert "is not like trial=1,key=3" in capsys.readouterr().err


def test_a_reading_does_not_depend_on_the_first_lines_alone(tmp_path: Path) -> None:
    """Saturated scores look like labels until the last lines."""
    rows = [f"u{place} {place % 2} {float(place % 3 > 0)}" for place in range(5000)] + ["u5000 1 0.25"]
    file = read_scores(write(tmp_path / "s.txt", "\n".join(rows)), bonafide_digit="1")
    assert file.scores is not None
    assert file.scores[-1] == 0.25
    assert file.bonafide is not None
    assert file.bonafide[:3].tolist() == [False, True, False]


# names with folders


def test_names_with_other_folders_are_joined_with_their_keys(tmp_path: Path) -> None:
    """The protocol needs folders to tell its trials apart, the scores of a part of it do not."""
    keys = write(
        tmp_path / "p.csv", "file,speaker,attack\na00/s1/x.flac,s1,a00\na07/s1/y.flac,s1,a07\na06/s1/x.flac,s1,a06\n"
    )
    rows = "\n".join(f"/data/flac/{name} {score}" for name, score in (("a00/s1/x.flac", 2), ("a07/s1/y.flac", 1)))
    scores = write(tmp_path / "s.txt", f"{rows}\n/data/flac/a06/s1/x.flac 0\n")
    rate = answer(scores, [keys], settings=EerSettings(resamples=0)).rate
    assert (rate.percent, rate.num_bonafide, rate.num_spoof) == (0, 1, 2)
    part = write(tmp_path / "part.txt", rows)
    with pytest.raises(VerificationError, match="1 trial .a06/s1/x. of p.csv without a score"):
        answer(part, [keys])
