"""Every defect planted in a made-up release is found and named, and a clean release passes."""

import json
import math
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from places import PUBLISHED, ROOT

from codecfake.__main__ import main
from codecfake.statistics import metrics
from codecfake.verification.error_rates import error_rate
from codecfake.verification.ledger import Ledger, VerifySettings, verify
from codecfake.verification.printed import Cell, is_about, read_cells
from codecfake.verification.reading import VerificationError, read_protocol, read_scores
from codecfake.verification.rendering import as_json, as_text
from codecfake.verification.single import EerSettings, answer
from codecfake.verification.verdicts import DIFFERENT, FLIPPED, NOT_COMPUTABLE, ROUNDED, TRUNCATED, agreement, judge

MODEL = "codecfake_w2v2aasist"
RECORDINGS = [f"p{225 + place % 5}_{place:03d}" for place in range(40)] + [f"SSB{place:08d}" for place in range(60)]

Rows = list[tuple[str, float, str]]


def write(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name} {score!r} {label}\n" for name, score, label in rows), encoding="utf-8")


def rows_of(release: dict[str, Rows], condition: str) -> Rows:
    return release[f"{MODEL}/{condition}.txt"]


@pytest.fixture
def release(rng: np.random.Generator) -> dict[str, Rows]:
    """One model's scores of 100 recordings and their fakes under three conditions, in the published form."""
    real = [
        (f"{name}.wav", score, "real") for name, score in zip(RECORDINGS, rng.normal(1, 1, 100).tolist(), strict=True)
    ]
    return {
        f"{MODEL}/C{place}.txt": [
            (f"F0{place}_{name}.wav", score, "fake")
            for name, score in zip(RECORDINGS, rng.normal(-1, 1, 100).tolist(), strict=True)
        ]
        + real
        for place in (1, 2, 3)
    }


def ledger_of(folder: Path, release: dict[str, Rows], **options: object) -> Ledger:
    for name, rows in release.items():
        write(folder / name, rows)
    return verify(folder, **options)  # type: ignore[arg-type]


def finding_of(ledger: Ledger, kind: str) -> str:
    """The one finding of a kind, and no fault of another kind beside it."""
    assert {finding.kind for finding in ledger.findings if finding.severity == "fault"} <= {kind}
    (finding,) = (finding for finding in ledger.findings if finding.kind == kind)
    return f"{finding.severity} {finding.where}: {finding.text}"


def write_table(folder: Path, lines: list[str], header: str = "table\tdetector\ttraining\tcondition\tvalue") -> Path:
    path = folder / "published.tsv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def eer_text(rows: Rows, decimals: int = 3) -> str:
    bonafide = np.array([score for _, score, label in rows if label == "real"])
    spoof = np.array([score for _, score, label in rows if label == "fake"])
    return f"{100 * metrics.eer(bonafide, spoof).eer:.{decimals}f}"


# forms


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a.wav 0.9 real\nF01_a.wav 0.1 fake\n", "file score label (spaces"),
        ("a 0.9 bonafide\nF01_a 0.1 spoof\n", "file score label (spaces"),
        ("a.flac,0.9,1\nF01_a.flac,0.1,0\n", "file score label (commas"),
        ("\ufeffa.wav\t0.9\treal\r\nF01_a.wav\t0.1\tfake\r\n", "file score label (tabs"),
        ("  a.wav \t 0.9   real  \n\n \nF01_a.wav\t\t0.1 fake", "file score label (spaces"),
        ("data/x/a.wav 9e-1 real\ndata/x/F01_a.wav 1e-1 fake\n", "file score label (spaces"),
        ("a - bonafide 0.9\nF01_a A07 spoof 0.1\n", "utterance source key score"),
        ("a - - bonafide 0.9\nF01_a - A07 spoof 0.1\n", "utterance - attack key score"),
        ("a bonafide 0.9\nF01_a spoof 0.1\n", "utterance key score"),
        ("filename,cm-score,label\na.wav,0.9,Real\nF01_a.wav,0.1,Fake\n", "columns filename, cm-score, label"),
        ("key\tscore\ttrial_id\nbonafide\t0.9\ta\nspoof\t0.1\tF01_a\n", "columns key, score, trial_id"),
    ],
)
def test_a_score_file_shows_its_form(tmp_path: Path, text: str, form: str) -> None:
    path = tmp_path / "scores.txt"
    path.write_bytes(text.encode())
    file = read_scores(path, bonafide_digit="1")
    assert form in file.form
    assert (list(file.names), list(file.scores), list(file.bonafide)) == (["a", "F01_a"], [0.9, 0.1], [True, False])
    assert file.problems == ()


def test_names_with_spaces_are_whole_where_tabs_part_columns(tmp_path: Path) -> None:
    write_text = (tmp_path / "a.txt").write_text
    write_text("my voice.wav\t0.5\treal\nhis voice.wav\t0.25\tfake\n")
    assert list(read_scores(tmp_path / "a.txt").names) == ["my voice", "his voice"]


def test_folders_stay_in_names_that_differ_by_them_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x/1.wav 0.5 real\ny/1.wav 0.25 fake\n")
    assert list(read_scores(tmp_path / "a.txt").names) == ["x/1", "y/1"]


def test_digits_are_read_as_they_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a 0.5 0\nb 0.25 1\n")
    assert list(read_scores(tmp_path / "a.txt", bonafide_digit="1").bonafide) == [False, True]
    assert list(read_scores(tmp_path / "a.txt", bonafide_digit="0").bonafide) == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "a.wav real\nF01_a.wav fake\n",
        "a.wav real x\nF01_a.wav fake F01\n",
        "p1 a - - bonafide\np1 F01_a - A07 spoof\n",
        "p1 a alaw ita_tx bonafide bonafide notrim eval\np1 F01_a alaw ita_tx A07 spoof notrim eval\n",
        "file_name,label\na.wav,real\nF01_a.wav,fake\n",
        "trial_id\tcorpus\tsource\tutterance_id\tkey\na\tx\tF00\ta\tbonafide\nF01_a\tx\tF01\ta\tspoof\n",
    ],
)
def test_protocols_of_every_form_give_keys(tmp_path: Path, text: str) -> None:
    (tmp_path / "C1.txt").write_text(text)
    protocol = read_protocol(tmp_path / "C1.txt")
    assert (list(protocol.names), list(protocol.bonafide)) == (["a", "F01_a"], [True, False])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\xff\xfea\x00", "UTF-16 text, not UTF-8; convert it"),
        (b"caf\xe9 0.5 real\n", "a.txt:1: not UTF-8 text .* probably WINDOWS-1252; convert it"),
        (b"one two three four five six\n", "a.txt:1: .* fits no form; write one of"),
    ],
)
def test_a_file_of_no_form_is_refused_with_the_forms(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(VerificationError, match=message):
        read_scores(tmp_path / "a.txt")


def test_a_protocol_with_a_repeated_trial_is_refused(tmp_path: Path) -> None:
    (tmp_path / "C1.txt").write_text("a.wav real\nb.wav fake\na.wav real\n")
    with pytest.raises(VerificationError, match="C1.txt:3: trial 'a' is listed twice"):
        read_protocol(tmp_path / "C1.txt")


# verdicts


@pytest.mark.parametrize(
    ("printed", "value", "expected"),
    [
        ("2.744", "2.7445", ROUNDED),  # a half goes to even,
        ("2.745", "2.7445", ROUNDED),  # or up
        ("2.744", "2.74451", TRUNCATED),
        ("2.744", "2.74499", TRUNCATED),
        ("2.745", "2.74451", ROUNDED),
        ("2.744", "2.745", None),
        ("2.744", "2.7434", None),
        ("2.744", "2.7435", ROUNDED),
        ("2.7", "2.799", TRUNCATED),
        ("0.000", "0.0009", TRUNCATED),
        ("3", "2.5", ROUNDED),
        ("2.740", "2.7396", ROUNDED),
        ("2.740", "2.7412", None),
    ],
)
def test_printed_digits_come_of_rounding_or_truncation(printed: str, value: str, expected: str | None) -> None:
    assert agreement(printed, Fraction(value)) == expected


def test_a_rate_is_the_very_fraction_of_the_errors() -> None:
    # one of 3 bona fide under the threshold, one of 4 spoofs above: (1/3 + 1/4) / 2
    rate = error_rate(np.array([0.0, 5.0, 6.0]), np.array([-3.0, -2.0, -1.0, 5.5]))
    assert rate.percent == 50 * (Fraction(1, 3) + Fraction(1, 4))


def test_a_rate_is_that_of_the_metrics(rng: np.random.Generator) -> None:
    bonafide, spoof = rng.normal(1, 1, 101), np.round(rng.normal(0, 1, 77), 1)
    rate = error_rate(bonafide, spoof)
    assert float(rate.percent) == pytest.approx(100 * metrics.eer(bonafide, spoof).eer, abs=1e-12)
    assert float(rate.negated_percent) == pytest.approx(100 * metrics.eer(-bonafide, -spoof).eer, abs=1e-12)
    assert rate.low < float(rate.percent) < rate.high


def test_a_flipped_number_is_told_from_a_different_one(rng: np.random.Generator) -> None:
    rate = error_rate(rng.normal(-2, 1, 1000), rng.normal(2, 1, 1000))
    assert rate.percent > 90
    flipped = judge(f"{float(100 - rate.percent):.3f}", rate)
    assert flipped.name == FLIPPED
    assert "100 − EER" in flipped.explanation and "min(EER(s), EER(−s))" in flipped.explanation
    assert judge(f"{float(rate.percent):.3f}", rate).name == ROUNDED
    different = judge("50.000", rate)
    assert different.name == DIFFERENT
    assert f"{50 - float(rate.percent):+.4f} points off" in different.explanation
    assert "outside the interval" in different.explanation


def test_a_number_printed_too_high_by_flipping_is_no_minimum(rng: np.random.Generator) -> None:
    rate = error_rate(rng.normal(2, 1, 1000), rng.normal(-2, 1, 1000))
    verdict = judge(f"{float(100 - rate.percent):.3f}", rate)
    assert verdict.name == FLIPPED
    assert "min(" not in verdict.explanation


# one file's faults


def test_a_clean_release_holds(tmp_path: Path, release: dict[str, Rows]) -> None:
    ledger = ledger_of(tmp_path, release)
    assert ledger.holds
    assert ledger.findings == []
    assert [line.condition for line in ledger.lines] == ["C1", "C2", "C3"]
    assert as_text(ledger).endswith("HOLDS: 3 computed")


def test_unreadable_lines_are_named_and_leave_no_rate(tmp_path: Path, release: dict[str, Rows]) -> None:
    ledger_of(tmp_path, release)
    path = tmp_path / MODEL / "C2.txt"
    lines = path.read_text().splitlines()
    lines[6:9] = ["F02_x.wav 0.5", "F02_y.wav zero fake", "F02_z.wav 0.5 maybe"]
    path.write_text("\n".join(lines))
    ledger = verify(tmp_path)
    assert "C2.txt:7: 2 columns, but the form has 3" in finding_of(ledger, "unreadable")
    assert "and 2 more lines" in finding_of(ledger, "unreadable")
    texts = [problem.text for problem in ledger.results[1].file.problems]
    assert "score 'zero' is not a number" in texts[1]
    assert "label 'maybe' is neither" in texts[2]
    assert [line.verdict.name if line.verdict else None for line in ledger.lines] == [None, NOT_COMPUTABLE, None]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_named(tmp_path: Path, release: dict[str, Rows], score: float) -> None:
    rows_of(release, "C2")[4] = ("F02_bad.wav", score, "fake")
    assert "C2.txt:5: 1 score not finite" in finding_of(ledger_of(tmp_path, release), "non-finite")


def test_repeated_trials_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    rows_of(release, "C2").append(rows_of(release, "C2")[0])
    assert f"C2.txt:201: 1 trial (F02_{RECORDINGS[0]}) scored again" in finding_of(
        ledger_of(tmp_path, release), "duplicate"
    )


@pytest.mark.parametrize(("label", "absent"), [("real", "spoof"), ("fake", "bona fide")])
def test_files_of_one_class_are_named(tmp_path: Path, release: dict[str, Rows], label: str, absent: str) -> None:
    release[f"{MODEL}/C2.txt"] = [row for row in rows_of(release, "C2") if row[2] == label]
    ledger = ledger_of(tmp_path, release)
    assert f"no {absent} trial among 100" in finding_of(ledger, "one class")
    assert ledger.lines[1].verdict.name == NOT_COMPUTABLE  # type: ignore[union-attr]


def test_labels_of_two_lists_in_one_file_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    name, score, _ = rows_of(release, "C2")[-1]
    rows_of(release, "C2")[-1] = (name, score, "bonafide")
    assert "bona fide is written bonafide and real" in finding_of(ledger_of(tmp_path, release), "labels")


@pytest.mark.parametrize(("size", "short"), [(9, True), (10, False)])
def test_files_too_short_for_a_rate_are_named(tmp_path: Path, release: dict[str, Rows], size: int, short: bool) -> None:
    rows = rows_of(release, "C2")
    ledger = ledger_of(tmp_path, {"only/C2.txt": rows[:size] + rows[100 : 100 + size]})
    assert ledger.holds is not short
    if short:
        assert {finding.text for finding in ledger.findings} == {
            "9 bona fide trials: one error is 11 %; score more",
            "9 spoof trials: one error is 11 %; score more",
        }


def test_saturated_scores_are_noted(tmp_path: Path, release: dict[str, Rows]) -> None:
    for rows in release.values():
        rows[100:104] = [(name, 10.0, label) for name, _, label in rows[100:104]]
    ledger = ledger_of(tmp_path, release)
    assert ledger.holds
    assert {f.text for f in ledger.findings} == {
        "4 of 100 bona fide trials score exactly 10: keep differences of logits"
    }
    assert len(ledger.findings) == 3


def test_decisions_in_place_of_scores_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    rows = [(name, float(score > 0), label) for name, score, label in rows_of(release, "C2")]
    assert "2 distinct scores in 200 trials" in finding_of(ledger_of(tmp_path, {"only/C2.txt": rows}), "few values")


def test_inverted_scores_are_named_and_not_turned(tmp_path: Path, release: dict[str, Rows]) -> None:
    rows = [(name, -score, label) for name, score, label in rows_of(release, "C2")]
    ledger = ledger_of(tmp_path, {"only/C2.txt": rows})
    assert "above 50 %: spoofs outscore bona fide trials" in finding_of(ledger, "inverted")
    assert ledger.lines[0].rate.percent > 50  # type: ignore[union-attr]


def test_scores_of_chance_are_a_note_alone(tmp_path: Path) -> None:
    rows = [(f"r{place}", float(place), "real") for place in range(50)]
    rows += [(f"f{place}", place + 2.5, "fake") for place in range(50)]  # 26 of each lie beyond 25.5
    ledger = ledger_of(tmp_path, {"only/C2.txt": rows})
    assert ledger.lines[0].rate.percent == 52  # type: ignore[union-attr]
    assert "no better than chance" in finding_of(ledger, "chance")
    assert ledger.holds


def test_a_file_that_holds_no_scores_is_named_beside_those_that_do(tmp_path: Path, release: dict[str, Rows]) -> None:
    (tmp_path / "notes.txt").write_text("\nthese are the scores\n")
    assert "fault notes.txt:2: 'these are the scores' fits no form" in finding_of(
        ledger_of(tmp_path, release), "unrecognized"
    )


# files that speak of one another


def test_conditions_of_the_same_fakes_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    real = rows_of(release, "C3")[100:]
    for other in ("C3-3", "C3-4"):
        fakes = [(name.replace("F03", other), score, label) for name, score, label in rows_of(release, "C3")[:100]]
        release[f"{MODEL}/{other}.txt"] = fakes + real
    text = finding_of(ledger_of(tmp_path, release), "identical")
    assert f"{MODEL}/C3 ≡ C3-3 ≡ C3-4: all 100 spoof scores are bit-identical, trial by trial" in text


def test_the_same_fakes_in_another_order_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    scores = [score for _, score, _ in rows_of(release, "C1")[:100]]
    turned = zip(rows_of(release, "C2")[:100], reversed(scores), strict=True)
    rows_of(release, "C2")[:100] = [(name, score, label) for (name, _, label), score in turned]
    assert "C1 ≡ C2: all 100 spoof scores are bit-identical, in another order" in finding_of(
        ledger_of(tmp_path, release), "identical"
    )


def test_fakes_that_one_corpus_shares_between_conditions_are_told_by_their_names(
    tmp_path: Path, release: dict[str, Rows]
) -> None:
    pairs = zip(rows_of(release, "C3")[:40], rows_of(release, "C1")[:40], strict=True)
    rows_of(release, "C3")[:40] = [(name, score, label) for (name, _, label), (_, score, _) in pairs]
    text = finding_of(ledger_of(tmp_path, release), "shared")
    assert f"{MODEL}/C1 ∩ C3: 40 of 100 fakes" in text
    assert text.endswith("0 of 60 named SSB#, 40 of 40 named p#_#")


def test_saturated_fakes_are_not_taken_for_shared_ones(tmp_path: Path, release: dict[str, Rows]) -> None:
    for rows in release.values():
        rows[:60] = [(name, -10.0, label) for name, _, label in rows[:60]]
    kinds = {finding.kind for finding in ledger_of(tmp_path, release).findings}
    assert kinds == {"saturated"}


def test_recordings_scored_otherwise_in_one_condition_are_named(tmp_path: Path, release: dict[str, Rows]) -> None:
    name, score, label = rows_of(release, "C2")[150]
    rows_of(release, "C2")[150] = (name, math.nextafter(score, 9), label)
    text = finding_of(ledger_of(tmp_path, release), "rescored")
    assert f"fault {MODEL}/C2: 1 trial ({name.removesuffix('.wav')}) of 100 bona fide" in text


def test_trials_that_another_model_was_judged_on_are_missed(tmp_path: Path, release: dict[str, Rows]) -> None:
    release["other/C2.txt"] = [(name, score - 0.01, label) for name, score, label in rows_of(release, "C2")][1:]
    ledger = ledger_of(tmp_path, release)
    assert f"fault other/C2: 1 trial (F02_{RECORDINGS[0]}) of {MODEL}/C2 without a score" in finding_of(
        ledger, "missing"
    )
    assert "1 trial (p225_000) of 100 bona fide trials without a fake" in str(ledger.findings)


def test_recordings_without_a_fake_are_noted_with_what_they_share(tmp_path: Path, release: dict[str, Rows]) -> None:
    release[f"{MODEL}/C2.txt"] = [row for row in rows_of(release, "C2") if not row[0].startswith("F02_p227")]
    ledger = ledger_of(tmp_path, release)
    assert ledger.holds
    assert finding_of(ledger, "unpaired").endswith(
        "8 trials (p227_002, …) of 100 bona fide trials without a fake, all named p227_…"
    )


def test_a_protocol_finds_missing_and_unlisted_trials_and_other_keys(tmp_path: Path, release: dict[str, Rows]) -> None:
    names = [(name, label) for name, _, label in rows_of(release, "C2")]
    names[0] = ("F02_other.wav", "fake")
    names[1] = (names[1][0], "real")
    protocol = tmp_path / "protocols" / "C2.txt"
    protocol.parent.mkdir()
    protocol.write_text("".join(f"{name} {label} x\n" for name, label in names))
    ledger = ledger_of(tmp_path / "scores", release, protocols=[protocol])
    text = {finding.kind: finding.text for finding in ledger.findings}
    assert text["missing"] == "1 trial (F02_other) of C2.txt without a score; score these"
    assert text["unlisted"].startswith(f"1 trial (F02_{RECORDINGS[0]}) not in C2.txt")
    assert text["keys"].startswith(f"1 trial (F02_{RECORDINGS[1]}) with another key")


def test_our_own_scores_take_their_keys_from_the_protocol(tmp_path: Path, release: dict[str, Rows]) -> None:
    rows = rows_of(release, "C2")
    scores, protocol = tmp_path / "scores" / "C2.tsv", tmp_path / "C2.tsv"
    scores.parent.mkdir()
    scores.write_text("trial_id\tscore\n" + "".join(f"{name}\t{score!r}\n" for name, score, _ in rows))
    keys = {"real": "bonafide", "fake": "spoof"}
    protocol.write_text("trial_id\tkey\n" + "".join(f"{name}\t{keys[label]}\n" for name, _, label in rows))
    ledger = verify(tmp_path / "scores", protocols=[protocol])
    assert ledger.holds
    assert f"{float(ledger.lines[0].rate.percent):.3f}" == eer_text(rows)  # type: ignore[union-attr]
    assert "name the file's protocol with --protocol" in finding_of(verify(tmp_path / "scores"), "keyless")


# printed numbers


def test_printed_numbers_that_follow_hold(tmp_path: Path, release: dict[str, Rows]) -> None:
    lines = [f"VI\tW2V2-AASIST\tCodecfake\t{c}\t{eer_text(rows_of(release, c))}" for c in ("C1", "C2", "C3")]
    ledger = ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, lines)])
    assert ledger.holds
    assert [line.verdict.name for line in ledger.lines] == [ROUNDED] * 3  # type: ignore[union-attr]


def test_each_printed_number_gets_its_verdict_and_the_worst_comes_first(
    tmp_path: Path, release: dict[str, Rows]
) -> None:
    flipped = f"{100 - float(eer_text(rows_of(release, 'C2'), 6)):.3f}"
    lines = [
        f"VI\tW2V2-AASIST\tCodecfake\tC1\t{eer_text(rows_of(release, 'C1'))}",
        f"VI\tW2V2-AASIST\tCodecfake\tC2\t{flipped}",
        "VI\tW2V2-AASIST\tCodecfake\tC3\t99.123",
        "VI\tW2V2-AASIST\tCodecfake\tC7\t1.000",
        "VI\tMel-LCNN\tCodecfake\tC1\t2.147",
    ]
    ledger = ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, lines)])
    verdicts = {line.condition: line.verdict.name for line in ledger.lines}  # type: ignore[union-attr]
    assert verdicts == {"C1": ROUNDED, "C2": FLIPPED, "C3": DIFFERENT, "C7": NOT_COMPUTABLE}
    assert [row["condition"] for row in as_json(ledger)["rates"]] == ["C7", "C3", "C2", "C1"]
    assert "no score file for this condition; files exist for C1, C2, C3" in as_text(ledger)
    assert "table VI, Mel-LCNN, Codecfake: 1 printed number without scores" in finding_of(ledger, "no scores")
    assert not ledger.holds


def test_a_printed_average_is_that_of_its_row(tmp_path: Path, release: dict[str, Rows]) -> None:
    values = {c: eer_text(rows_of(release, c)) for c in ("C1", "C2", "C3")}
    mean = np.mean([float(value) for value in values.values()])
    lines = [f"VI\tW2V2-AASIST\tCodecfake\t{c}\t{value}" for c, value in values.items()]
    good = [*lines, f"VI\tW2V2-AASIST\tCodecfake\tAVG\t{mean:.2f}"]
    assert ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, good)]).holds
    bad = verify(tmp_path / "scores", [write_table(tmp_path, [*lines, "VI\tW2V2-AASIST\tCodecfake\tAVG\t77.00"])])
    assert [line.condition for line in bad.lines if line.verdict and line.verdict.name == DIFFERENT] == ["AVG"]


def test_an_average_of_a_paper_is_of_the_conditions_that_the_paper_says(tmp_path: Path) -> None:
    shutil.copy(PUBLISHED / "mapping.yaml", tmp_path)
    row = "W2V2-AASIST\tCodecfake\tERM"
    values = {"19LA": 9, "ITW": 5, **{f"C{place}": place for place in range(1, 8)}, "CAVG": 4, "AVG": 14 / 3}
    lines = [f"{row}\t{condition}\t{value:.3f}" for condition, value in values.items()]
    header = "detector\ttraining\tstrategy\tcondition\tvalue"
    table = write_table(tmp_path, lines, header).rename(tmp_path / "xie2025_table6.tsv")
    for condition, percent in values.items():
        real = [(f"r{place}", place - 1e4 * (place < percent), "real") for place in range(100)]
        fake = [(f"f{place}", place - 200 + 1e4 * (place < percent), "fake") for place in range(100)]
        if not condition.endswith("AVG"):
            write(tmp_path / "scores/codec_w2v2aasist" / f"{condition}.txt", real + fake)

    ledger = verify(tmp_path / "scores", [table])

    explained = {line.condition: line.verdict for line in ledger.lines if line.cell and line.cell.is_average}
    assert {condition: verdict.explanation for condition, verdict in explained.items() if verdict} == {
        "CAVG": "mean of 7 conditions, equal by rounding",
        "AVG": "mean of 9 conditions, equal by rounding",
    }


def test_other_numbers_printed_of_the_same_fakes_contradict(tmp_path: Path, release: dict[str, Rows]) -> None:
    real = rows_of(release, "C3")[100:]
    fakes = [(name.replace("F03", "C3-3"), score, label) for name, score, label in rows_of(release, "C3")[:100]]
    release[f"{MODEL}/C3-3.txt"] = fakes + real
    lines = ["VI\tWavLM-AASIST\tCodecfake\tC3\t0.839", "VII\tWavLM-AASIST\tCodecfake\tC3-3\t2.744"]
    ledger = ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, lines)])
    text = {finding.kind: f"{finding.where}: {finding.text}" for finding in ledger.findings}
    assert (
        "WavLM-AASIST, Codecfake: printed C3 0.839, C3-3 2.744, but these conditions have the same fakes"
        in text["contradiction"]
    )
    lines[1] = lines[1].replace("2.744", "0.840")  # one in the last place: rounded here, truncated there
    kinds = {finding.kind for finding in verify(tmp_path / "scores", [write_table(tmp_path, lines)]).findings}
    assert kinds == {"identical", "no scores"}


def test_a_table_that_rounds_here_and_truncates_there_is_noted(tmp_path: Path) -> None:
    # 300 trials of a key and 2 or 1 errors of each: 0.6666… % and 0.3333… %
    def rows(errors: int) -> Rows:
        real = [
            (f"r{place}.wav", place - 0.25 * (place < errors) + 10_000.0 * (place >= errors), "real")
            for place in range(300)
        ]
        fake = [(f"f{place}.wav", place + 20_000.0 * (place < errors), "fake") for place in range(300)]
        return real + fake

    release = {"only/C1.txt": rows(2), "only/C2.txt": rows(5)}
    assert (eer_text(release["only/C1.txt"]), eer_text(release["only/C2.txt"])) == ("0.667", "1.667")
    table = write_table(tmp_path, ["C1\t0.667", "C2\t1.666"], header="condition\tvalue")
    ledger = ledger_of(tmp_path / "scores", release, tables=[table])
    assert [line.verdict.name for line in ledger.lines] == [ROUNDED, TRUNCATED]  # type: ignore[union-attr]
    text = {finding.kind: finding.text for finding in ledger.findings}
    assert text["rounding"].startswith("1 number can only be rounded, 1 only truncated")


@pytest.mark.parametrize(
    ("folder", "meant"),
    [
        ("W2V2-AASIST/codecfake/erm/seed0", True),
        ("codecfake_w2v2aasist", True),
        ("w2v2_aasist-codecfake", True),
        ("W2V2-AASIST/19LA/erm/seed0", False),
        ("Mel-LCNN/codecfake/erm/seed0", False),
        ("W2V2-AASIST/codecfake/sam/seed0", False),
    ],
)
def test_a_folder_is_meant_by_the_labels_in_its_name(folder: str, meant: bool) -> None:
    labels = (("detector", "W2V2-AASIST"), ("training", "Codecfake"), ("strategy", "ERM"))
    assert is_about(Cell("VI", labels, "C1", "1.0"), folder, {}) is meant


@pytest.mark.parametrize("folder", ["codec_w2v2aasist", "w2v2-aasist/codec/erm/seed1", "codecfake_w2v2aasist"])
def test_the_papers_tables_find_folders_in_our_names_too(tmp_path: Path, release: dict[str, Rows], folder: str) -> None:
    names = {name.replace(MODEL, folder): rows for name, rows in release.items()}
    ledger = ledger_of(tmp_path / "scores", names, tables=[PUBLISHED / "xie2025_table6.tsv"])
    results = {line.condition: line.verdict.name for line in ledger.lines if line.cell and line.verdict}
    assert [results[condition] for condition in ("C1", "C2", "C3", "C7")] == [DIFFERENT] * 3 + [NOT_COMPUTABLE]


def test_a_list_of_folders_says_what_names_do_not(tmp_path: Path, release: dict[str, Rows]) -> None:
    folders = tmp_path / "folders.tsv"
    folders.write_text(f"folder\tdetector\ttraining\n{MODEL}\tOurs\tEverything\n")
    table = write_table(tmp_path, ["VI\tOurs\tEverything\tC1\t99.000", "VI\tW2V2-AASIST\tCodecfake\tC2\t99.000"])
    ledger = ledger_of(tmp_path / "scores", release, tables=[table], folders=folders)
    assert [line.condition for line in ledger.lines if line.cell] == ["C1"]


def test_a_number_that_slipped_from_another_condition_is_told(tmp_path: Path, release: dict[str, Rows]) -> None:
    rows_of(release, "C2")[:100] = [(name, score - 2, label) for name, score, label in rows_of(release, "C2")[:100]]
    lines = [f"VI\tW2V2-AASIST\tCodecfake\tC1\t{eer_text(rows_of(release, 'C2'))}"]
    ledger = ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, lines)])
    assert "outside the interval; it equals the rate of C2" in as_text(ledger)


def test_released_files_of_another_name_are_found(tmp_path: Path, release: dict[str, Rows]) -> None:
    release = {f"{MODEL}/L1_result.txt": rows_of(release, "C1")}
    lines = [f"IX\tW2V2-AASIST\tCodecfake\tA1\t{eer_text(release[f'{MODEL}/L1_result.txt'])}"]
    ledger = ledger_of(tmp_path / "scores", release, tables=[write_table(tmp_path, lines)])
    assert [(line.condition, line.verdict.name) for line in ledger.lines] == [("L1", ROUNDED)]  # type: ignore[union-attr]


def test_a_table_without_models_speaks_of_the_only_one(tmp_path: Path, release: dict[str, Rows]) -> None:
    table = write_table(tmp_path, ["C1\t99.00"], header="condition\tvalue")
    ledger = ledger_of(tmp_path / "scores", release, tables=[table])
    assert [line.condition for line in ledger.lines if line.cell] == ["C1"]
    with pytest.raises(VerificationError, match="99.00 is printed for C1 without a model, but there are scores of"):
        ledger_of(tmp_path / "scores", {"other/C1.txt": rows_of(release, "C1")}, tables=[table])


def test_decimals_lost_in_a_table_come_back(tmp_path: Path) -> None:
    table = write_table(tmp_path, ["C1\t2.74\t3", "C2\t\t3"], header="condition\teer_percent\tdecimals")
    assert [cell.printed for cell in read_cells(table)] == ["2.740"]


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        ("condition\tvalue", "C1\tlow", "published.tsv:2: 'low' is not a percentage"),
        ("condition\tvalue", "C1\t101", "published.tsv:2: '101' is not a percentage"),
        ("condition\tx", "C1\t1", "need 'condition' and one of eer_percent"),
    ],
)
def test_a_table_that_prints_no_rates_is_refused(tmp_path: Path, header: str, line: str, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        read_cells(write_table(tmp_path, [line], header))


# commands


def test_the_ledger_is_the_same_bytes_each_time(tmp_path: Path, release: dict[str, Rows], capsys) -> None:
    ledger_of(tmp_path / "scores", release)
    printed = []
    for _ in range(2):
        main(["verify", str(tmp_path / "scores"), "--resamples", "20", "--json"])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    values = json.loads(printed[0])
    assert values["holds"] is True
    assert values["rates"][0]["method"].startswith("bootstrap by trial")
    assert str(tmp_path) not in json.dumps(values)


def test_a_release_that_does_not_hold_ends_with_status_1(tmp_path: Path, release: dict[str, Rows], capsys) -> None:
    rows_of(release, "C2").append(rows_of(release, "C2")[0])
    ledger_of(tmp_path, release)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(tmp_path)])
    assert ended.value.code == 1
    assert capsys.readouterr().out.rstrip().splitlines()[-1] == "DOES NOT HOLD: 3 computed, 1 fault"


def test_a_folder_without_scores_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    with pytest.raises(VerificationError, match="no score file among 1 files"):
        verify(tmp_path)
    with pytest.raises(VerificationError, match="no such file or folder"):
        verify(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="level is 95"):
        VerifySettings(level=95)


def test_the_last_line_of_each_file_is_its_name_and_rate(tmp_path: Path, release: dict[str, Rows], capsys) -> None:
    ledger_of(tmp_path, release)
    paths = [str(tmp_path / MODEL / f"{condition}.txt") for condition in ("C1", "C2")]
    main(["eer", *paths, "--resamples", "20"])
    out = capsys.readouterr().out.rstrip().splitlines()
    assert out[-1] == f"C2 {eer_text(rows_of(release, 'C2'))}"
    assert f"C1 {eer_text(rows_of(release, 'C1'))}" in out


def test_a_rate_of_speakers_draws_them(tmp_path: Path, release: dict[str, Rows]) -> None:
    ledger_of(tmp_path, release)
    speakers = tmp_path / "speakers.tsv"
    names = [name.removesuffix(".wav") for name, _, _ in rows_of(release, "C1")]
    speakers.write_text("trial_id\tspeaker_id\n" + "".join(f"{name}\t{name[-1]}\n" for name in names))
    finding_of = answer(tmp_path / MODEL / "C1.txt", speakers=speakers, settings=EerSettings(resamples=50))
    assert finding_of.rate.method.startswith("bootstrap by speaker")
    speakers.write_text("trial_id\tspeaker_id\np1\tx\n")
    with pytest.raises(VerificationError, match="speakers.tsv: no speaker for trial"):
        answer(tmp_path / MODEL / "C1.txt", speakers=speakers)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("F01_x.wav nan fake", r"C1.txt:201: 1 score not finite"),
        ("F01_x.wav 0.5", r"C1.txt:201: 2 columns, but the form has 3"),
        (f"F01_{RECORDINGS[0]}.wav 0.5 fake", r"C1.txt:201: 1 trial .* scored again"),
    ],
)
def test_no_rate_is_told_of_a_file_at_fault(tmp_path: Path, release: dict[str, Rows], last: str, message: str) -> None:
    ledger_of(tmp_path, release)
    path = tmp_path / MODEL / "C1.txt"
    path.write_text(path.read_text() + last)
    with pytest.raises(VerificationError, match=message):
        answer(path)


def test_verification_needs_no_torch() -> None:
    modules = "codecfake.verification.rendering, codecfake.verification.single"
    code = f"import sys; import {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
