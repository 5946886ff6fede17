"""The measures of ASVspoof 5 on request: `--metrics asvspoof5`, and `--asv-scores` for both tasks together."""

import json
from pathlib import Path

import pytest

from codecfake.__main__ import main
from codecfake.statistics.tandem import TrialScores, a_dcf
from codecfake.verification.reading import VerificationError
from codecfake.verification.single import EerSettings, answer

SCORES = {"t1": 2.0, "t2": 1.0, "n1": 3.0, "n2": 0.5, "s1": -1.0, "s2": 0.7}
KINDS = {"t": "target", "n": "nontarget", "s": "spoof"}
ASV = {"t1": 2.0, "t2": 1.5, "n1": -1.0, "n2": -2.0, "s1": 1.8, "s2": -3.0}


def write(folder: Path) -> tuple[Path, Path]:
    """Scores with keys, and a table of ASV scores with labels."""
    scores, asv = folder / "scores.txt", folder / "asv.tsv"
    scores.write_text(
        "".join(f"{name} {'spoof' if name[0] == 's' else 'bonafide'} {SCORES[name]}\n" for name in SCORES)
    )
    rows = [f"E1\t{name}\t{ASV[name]}\t{SCORES[name] + ASV[name]}\t{KINDS[name[0]]}" for name in ASV]
    asv.write_text("\n".join(["spk\tfilename\tasv-score\tsasv-score\tasv-label", *rows]) + "\n")
    return scores, asv


def test_eer_prints_the_measures_and_the_last_line_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, _ = write(tmp_path)
    main(["eer", str(scores), "--metrics", "asvspoof5"])
    out = capsys.readouterr().out
    assert "ASVspoof 5: minDCF 0.47500, " in out  # one of four bona fide trials is missed: 0.95 / 4 / 0.5
    assert out.splitlines()[-1].startswith("scores ")
    assert "DCF" not in out.splitlines()[-1]


def test_without_the_option_nothing_is_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, _ = write(tmp_path)
    main(["eer", str(scores), "--json"])
    assert "asvspoof5" not in json.loads(capsys.readouterr().out)["files"][0]
    with pytest.raises(SystemExit):  # few trials are a fault
        main(["verify", str(scores)])
    assert "DCF" not in capsys.readouterr().out


def test_verify_has_a_column_for_each_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, _ = write(tmp_path)
    with pytest.raises(SystemExit):  # few trials are a fault
        main(["verify", str(scores), "--metrics", "asvspoof5"])
    heading, row = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert heading.split()[-3:] == ["minDCF", "actDCF", "Cllr"]
    assert row.split()[-3] == "0.47500"


def test_asv_scores_give_the_measures_of_both_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, asv = write(tmp_path)
    main(["eer", str(scores), "--metrics", "asvspoof5", "--asv-scores", str(asv), "--json"])
    measures = json.loads(capsys.readouterr().out)["files"][0]["asvspoof5_with_asv"]
    by_kind = TrialScores(*([SCORES[n] + ASV[n] for n in ASV if KINDS[n[0]] == kind] for kind in KINDS.values()))
    assert measures["a_dcf"] == pytest.approx(a_dcf(by_kind))
    assert measures["asv_spoof_percent"] == 50
    assert measures["min_t_dcf"] == measures["min_t_dcf_of_package"]  # the slip takes 1 - 0.5 for 0.5


def test_labels_may_be_in_the_keys(tmp_path: Path) -> None:
    scores, asv = write(tmp_path)
    keys = tmp_path / "keys.tsv"
    keys.write_text(
        "spk\tfilename\tcm-label\tasv-label\n"
        + "".join(f"E1\t{n}\t{'spoof' if n[0] == 's' else 'bonafide'}\t{KINDS[n[0]]}\n" for n in ASV)
    )
    whole = answer(scores, asv_scores=asv, settings=EerSettings(resamples=0))
    asv.write_text("\n".join(line.rpartition("\t")[0] for line in asv.read_text().splitlines()) + "\n")
    assert answer(scores, [keys], asv_scores=asv, settings=EerSettings(resamples=0)).track2 == whole.track2
    with pytest.raises(VerificationError, match="no column 'asv-label'; add it"):
        answer(scores, asv_scores=asv)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("t1", "t9", r"no score for trial 't9' of .*asv\.tsv; score it"),
        ("target\n", "spoof\n", "trial 't1' has another key than in .*scores.txt"),
        ("1.8", "nan", r"asv\.tsv:6: asv-score 'nan' is not a finite number"),
        ("nontarget", "impostor", r"asv\.tsv:4: asv-label is 'impostor'; every trial must be one of target, nontarget"),
    ],
)
def test_faults_of_the_table_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    scores, asv = write(tmp_path)
    asv.write_text(asv.read_text().replace(old, new, 1))
    with pytest.raises(VerificationError, match=message):
        answer(scores, asv_scores=asv, settings=EerSettings(resamples=0))


def test_asv_scores_need_the_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores, asv = write(tmp_path)
    with pytest.raises(SystemExit):
        main(["eer", str(scores), "--asv-scores", str(asv)])
    assert "--asv-scores has no effect without --metrics asvspoof5" in capsys.readouterr().err
