"""Trials of keys with phases are counted by phase, as in the evaluation package of ASVspoof 2021."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from codecfake.__main__ import main
from codecfake.verification.ledger import VerifySettings, verify
from codecfake.verification.reading import VerificationError
from codecfake.verification.single import Answer, EerSettings, answer

LINES = {
    "LA": "LA_1 {name} alaw ita_tx {attack} {key} {trim} {phase}",
    "PA": "PA_1 {name} R1 M1 d1 r1 m1 s1 c1 {key} {trim} {phase}",
    "DF": "LA_1 {name} nocodec asvspoof {attack} {key} {trim} {phase} vocoder - - - -",
}
PHASES = {"eval": "E", "progress": "P", "hidden": "H"}
# Of 10 bona fide and 10 spoofs in each phase, as many of each are on the wrong side: an EER of 10, 30 and 50 %.
ERRORS = {"eval": 1, "progress": 3, "hidden": 5}


def trials(phase: str) -> list[tuple[str, str, float]]:
    """Names, keys and scores; no two scores are equal."""
    bonafide = [(f"{PHASES[phase]}b{place}", "bonafide", (-10 if place < ERRORS[phase] else 10)) for place in range(10)]
    spoof = [(f"{PHASES[phase]}s{place}", "spoof", (10 if place < ERRORS[phase] else -10)) for place in range(10)]
    return [(name, key, sign + place / 100) for place, (name, key, sign) in enumerate([*bonafide, *spoof])]


def write_keys(path: Path, track: str = "DF", phases: dict[str, str] | None = None) -> Path:
    """`phases`: how the file writes them."""
    words = phases or dict.fromkeys(PHASES)
    lines = [
        LINES[track].format(
            name=name, attack="A07" if key == "spoof" else "-", key=key, phase=words[phase] or phase,
            trim="trim" if phase == "hidden" else "notrim",
        )
        for phase in PHASES
        for name, key, _ in trials(phase)
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def write_scores(path: Path, *phases: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{name} {score}\n" for phase in phases for name, _, score in trials(phase)))
    return path


def eer(tmp_path: Path, *phases: str, choice: str | None = None, **keys: object) -> Answer:
    protocol = write_keys(tmp_path / "keys.txt", **keys)  # type: ignore[arg-type]
    scores = write_scores(tmp_path / "scores.txt", *phases)
    return answer(scores, [protocol], settings=EerSettings(resamples=0, phase=choice))


@pytest.mark.parametrize("track", LINES)
def test_the_eval_phase_alone_is_counted(tmp_path: Path, track: str) -> None:
    rate = eer(tmp_path, *PHASES, track=track).rate
    assert (rate.percent, rate.num_bonafide, rate.num_spoof) == (10, 10, 10)


@pytest.mark.parametrize("track", LINES)
def test_scores_of_the_eval_phase_are_enough(tmp_path: Path, track: str) -> None:
    assert eer(tmp_path, "eval", track=track).rate.percent == 10


@pytest.mark.parametrize(("choice", "percent"), [("eval", 10), ("progress", 30), ("hidden_track", 50), ("all", 30)])
def test_another_phase_or_all_may_be_chosen(tmp_path: Path, choice: str, percent: int) -> None:
    assert eer(tmp_path, *PHASES, choice=choice).rate.percent == Fraction(percent)


@pytest.mark.parametrize("word", ["hidden", "hidden_track", "Hidden", "hidden_track_1"])
def test_the_hidden_track_has_several_spellings(tmp_path: Path, word: str) -> None:
    phases = {"eval": "eval", "progress": "progress", "hidden": word}
    assert eer(tmp_path, *PHASES, choice="hidden_track", phases=phases).rate.percent == 50


def test_the_output_says_what_was_counted(tmp_path: Path) -> None:
    text = str(eer(tmp_path, *PHASES))
    counts = "20 trials of phase eval, 20 trials of phase hidden_track, 20 trials of phase progress"
    assert f"only phase eval is counted, as in the official evaluation; the keys have {counts}" in text
    assert "40 scores of other phases left out" in text
    assert "all phases together have an EER of 30.000 %" in text
    assert f"{counts} are pooled" in str(eer(tmp_path, *PHASES, choice="all"))
    assert "together" not in str(eer(tmp_path, "eval"))


def test_a_missing_score_of_the_phase_is_a_fault(tmp_path: Path) -> None:
    scores = write_scores(tmp_path / "s.txt", *PHASES)
    scores.write_text("".join(line for line in scores.read_text().splitlines(True) if not line.startswith("Eb3 ")))
    with pytest.raises(VerificationError, match=r"1 trial \(Eb3\) of keys.txt without a score"):
        answer(scores, [write_keys(tmp_path / "keys.txt")])


def test_scores_of_another_phase_name_the_option(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="no score belongs to phase eval, all belong to others; .*--phase"):
        eer(tmp_path, "progress")
    assert eer(tmp_path, "progress", choice="progress").rate.percent == 30


def test_keys_without_the_phase_or_without_phases_are_an_error(tmp_path: Path) -> None:
    keys, scores = tmp_path / "keys.txt", write_scores(tmp_path / "s.txt", "eval")
    lines = [f"LA_1 {name} - A07 {key}" for name, key, _ in trials("eval")]
    keys.write_text("\n".join(lines))
    with pytest.raises(VerificationError, match="these keys have no phases; leave out --phase progress"):
        answer(scores, [keys], settings=EerSettings(phase="progress"))
    keys.write_text("\n".join(f"{line} notrim progress" for line in lines))
    with pytest.raises(VerificationError, match="no trial of phase eval; give --phase: progress, all"):
        answer(scores, [keys])


def test_names_of_trials_are_no_phases(tmp_path: Path) -> None:
    rows = [(f"hidden_{place}.wav", place, "real" if place % 2 else "fake") for place in range(4)]
    for header in ("", "file score label\n"):
        (tmp_path / "s.txt").write_text(header + "".join(f"{name} {score} {label}\n" for name, score, label in rows))
        assert answer(tmp_path / "s.txt").rate.num_bonafide == 2


def test_a_phase_that_is_none_is_an_error(tmp_path: Path) -> None:
    keys = write_keys(tmp_path / "keys.txt")
    keys.write_text(keys.read_text().replace(" progress ", " evall ", 1))
    with pytest.raises(VerificationError, match="keys.txt:21: phase 'evall' is none of eval, progress and hidden"):
        answer(write_scores(tmp_path / "s.txt", "eval"), [keys])


def test_scores_with_keys_and_phases_of_their_own_are_counted_by_phase(tmp_path: Path) -> None:
    lines = [
        f"LA_1 {name} alaw ita_tx - {key} notrim {phase} {score}"
        for phase in PHASES
        for name, key, score in trials(phase)
    ]
    (tmp_path / "s.txt").write_text("\n".join(lines))
    assert answer(tmp_path / "s.txt").rate.percent == 10
    assert answer(tmp_path / "s.txt", settings=EerSettings(phase="progress")).rate.percent == 30
    (tmp_path / "s.txt").write_text("\n".join(line for line in lines if "progress" in line))
    with pytest.raises(VerificationError, match="no trial of phase eval; give --phase: progress, all"):
        answer(tmp_path / "s.txt")
    assert "no trial of phase eval" in str(verify(tmp_path / "s.txt").findings)


def test_keys_with_phases_count_for_scores_with_keys_too(tmp_path: Path) -> None:
    scores = tmp_path / "s.txt"
    scores.write_text("".join(f"{name} {key} {score}\n" for phase in PHASES for name, key, score in trials(phase)))
    assert answer(scores, [write_keys(tmp_path / "keys.txt")]).rate.percent == 10


def test_verify_counts_by_phase(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = write_keys(tmp_path / "keys.txt")
    write_scores(tmp_path / "scores" / "a.txt", *PHASES)
    ledger = verify(tmp_path / "scores", protocols=[keys])
    assert ledger.holds
    assert [line.rate.percent for line in ledger.lines if line.rate] == [10]
    assert {finding.kind for finding in ledger.findings} == {"phases"}
    ledger = verify(tmp_path / "scores", protocols=[keys], settings=VerifySettings(phase="progress"))
    assert [line.rate.percent for line in ledger.lines if line.rate] == [30]
    main(["verify", str(tmp_path / "scores"), "--protocol", str(keys), "--phase", "all", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert [rate["eer_percent"] for rate in printed["rates"]] == [30]
    assert "are pooled" in printed["findings"][0]["text"]


def test_the_keys_in_the_shared_cases_count_as_officially(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """13 bona fide and 40 spoofs of phase eval; 15 % is the rate of all phases together."""
    case = shared / "cases/05_asvspoof_keys_not_read"
    arguments = ["eer", str(case / "df_scores.txt"), "--resamples", "0", "--protocol"]
    for keys, phase, percent in (
        ("df", "eval", "8.846"),
        ("df", "all", "15.000"),
        ("la", "eval", "15.000"),
        ("pa", "eval", "15.000"),
    ):
        main([*arguments, str(case / f"{keys}_keys.txt"), "--phase", phase])
        assert capsys.readouterr().out.splitlines()[-1] == f"df_scores {percent}"


def test_the_hidden_trials_of_pa_are_two_tracks(tmp_path: Path) -> None:
    """The evaluation package tells them by their trim; its first keys had a word for each."""
    keys = write_keys(tmp_path / "keys.txt", track="PA")
    hidden = [line for line in keys.read_text().splitlines() if line.endswith(" hidden")]
    first = {line.split()[1] for line in (*hidden[:8], *hidden[10:])}
    lines = [line.replace(" trim ", " notrim ") if line.split()[1] in first else line for line in hidden]
    keys.write_text("\n".join(lines))
    scores = write_scores(tmp_path / "s.txt", "hidden")
    counts = {
        phase: answer(scores, [keys], settings=EerSettings(resamples=0, phase=phase)).rate.num_bonafide
        for phase in ("hidden1_PA", "hidden_track", "all")
    }
    assert counts == {"hidden1_PA": 8, "hidden_track": 10, "all": 10}
    with pytest.raises(VerificationError, match="no spoof trial among 2"):
        answer(scores, [keys], settings=EerSettings(phase="hidden2_PA"))
    with pytest.raises(VerificationError, match="give --phase: hidden1_PA, hidden2_PA, hidden_track, all"):
        answer(scores, [keys])
    for track, trim in (("1", "notrim"), ("2", "trim")):
        older = [line.replace(f" {trim} hidden", f" - hidden_track_{track}") for line in lines]
        keys.write_text("\n".join(line for line in older if line.endswith(f"hidden_track_{track}")))
        with pytest.raises(VerificationError, match=f"give --phase: hidden{track}_PA, all"):
            answer(scores, [keys])


# trials that official evaluations leave out


def test_ctrsvdd_is_counted_without_attack_14_and_without_acesinger(tmp_path: Path) -> None:
    lines = [f"m4singer {place} CtrSVDD_1_E_{place} - - bonafide" for place in range(10)]
    lines += [f"kising {place} CtrSVDD_2_E_{place} - A09 deepfake" for place in range(10)]
    lines += ["acesinger 1 CtrSVDD_3_E_1 - - bonafide", "kising 1 CtrSVDD_4_E_1 - A14 deepfake"]
    (tmp_path / "test.txt").write_text("\n".join(lines))
    names = [line.split()[2] for line in lines]
    scores = tmp_path / "s.txt"
    scores.write_text("".join(f"{name} {-int(name[8])}\n" for name in names))
    result = answer(scores, [tmp_path / "test.txt"], settings=EerSettings(resamples=0))
    assert (result.rate.num_bonafide, result.rate.num_spoof, result.rate.percent) == (10, 10, 0)
    assert "only phase eval is counted, as in the official evaluation; the keys have 20 trials of phase eval, " in str(
        result
    )
    assert "2 trials of phase excluded; 2 scores of other phases left out" in str(result)
    everything = answer(scores, [tmp_path / "test.txt"], settings=EerSettings(resamples=0, phase="all"))
    assert (everything.rate.num_bonafide, everything.rate.num_spoof) == (11, 11)
    assert f"all phases together have an EER of {float(everything.rate.percent):.3f} %" in str(result)


def test_lines_of_other_corpora_are_not_left_out(tmp_path: Path) -> None:
    """Six columns, and an attack A14, are not of CtrSVDD alone."""
    lines = [f"acesinger {place} u{place} - A14 {'deepfake' if place % 2 else 'bonafide'}" for place in range(20)]
    (tmp_path / "keys.txt").write_text("\n".join(lines))
    (tmp_path / "s.txt").write_text("".join(f"u{place} {-(place % 2)}\n" for place in range(20)))
    assert (
        answer(tmp_path / "s.txt", [tmp_path / "keys.txt"], settings=EerSettings(resamples=0)).rate.num_bonafide == 10
    )


def test_dummy_trials_of_the_full_keys_of_asvspoof_5_are_left_out(tmp_path: Path) -> None:
    """A recording that also has a claim that counts is kept, in whatever order the lines are."""
    header = "tar_spk_anon trial_anon cm-label asv-label attack_anon codec track_2_tag"
    lines = [f"S1 b{place} bonafide target - - tag" for place in range(10)]
    lines += [f"S1 s{place} spoof spoof A17 C01 tag" for place in range(10)]
    lines += ["S2 b_dummy bonafide nontarget - - dummy", "S2 s_dummy spoof spoof A17 - dummy"]
    lines = ["S3 b3 bonafide nontarget - - dummy", *lines, "S3 b4 bonafide nontarget - - dummy"]
    (tmp_path / "keys.txt").write_text("\n".join([header, *lines]))
    names = dict.fromkeys(line.split()[1] for line in lines)
    (tmp_path / "s.tsv").write_text("filename\tcm-score\n" + "".join(f"{name}\t{ord(name[0])}\n" for name in names))
    result = answer(tmp_path / "s.tsv", [tmp_path / "keys.txt"], settings=EerSettings(resamples=0))
    assert (result.rate.num_bonafide, result.rate.num_spoof) == (10, 10)
    assert "2 scores of other phases left out" in str(result)
