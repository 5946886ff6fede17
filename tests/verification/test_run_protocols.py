"""A run's own score files have no keys: those of the condition's protocol in the same run count."""

from pathlib import Path

import pytest

from codecfake.__main__ import main
from codecfake.verification.ledger import verify
from codecfake.verification.reading import VerificationError
from codecfake.verification.single import EerSettings, answer

EXACT = EerSettings(resamples=0)


def write_run(folder: Path, bonafide: int = 3) -> Path:
    """A run whose condition C1 has 20 trials, the first ones bona fide; scores fall. Returns the score file."""
    names = [f"u{place}" for place in range(20)]
    keys = ["bonafide" if place < bonafide else "spoof" for place in range(20)]
    write(folder / "protocols/eval/C1.tsv", ["trial_id\tkey", *map("\t".join, zip(names, keys, strict=True))])
    scores = [f"{name}\t{-place}" for place, name in enumerate(names)]
    return write(folder / "scores/lcnn/codec/erm/seed1/C1.tsv", ["trial_id\tscore", *scores])


def write(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_eer_finds_the_protocol_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = write_run(tmp_path / "results")
    main(["eer", str(scores), "--resamples", "0"])
    out = capsys.readouterr().out
    assert out.startswith("C1: 3 bona fide, 17 spoof; ")
    assert f"the keys are those of its run, {tmp_path / 'results/protocols/eval/C1.tsv'} (20 trials)" in out
    assert out.endswith("C1 0.000\n")


def test_a_protocol_that_is_named_counts_instead(tmp_path: Path) -> None:
    scores = write_run(tmp_path / "results")
    other = write(tmp_path / "keys.txt", [f"u{place} {'real' if place < 5 else 'fake'}" for place in range(20)])
    result = answer(scores, [other], settings=EXACT)
    assert result.rate.num_bonafide == 5
    assert "of its run" not in str(result)


def test_without_the_protocol_of_the_condition_there_are_no_keys(tmp_path: Path) -> None:
    scores = write_run(tmp_path / "results")
    elsewhere = write(tmp_path / "C1.tsv", scores.read_text().splitlines())
    (tmp_path / "results/protocols/eval/C1.tsv").rename(tmp_path / "results/protocols/eval/C2.tsv")
    for path in (scores, elsewhere):
        with pytest.raises(VerificationError, match="no labels; name the file's protocol with --protocol"):
            answer(path, settings=EXACT)


def test_verify_takes_each_run_by_its_own_protocols(tmp_path: Path) -> None:
    for name, bonafide in (("a", 3), ("b", 12)):
        write_run(tmp_path / name, bonafide)
    ledger = verify(tmp_path)
    counts = {line.model: line.rate.num_bonafide for line in ledger.lines if line.rate}
    assert counts == {f"{name}/scores/lcnn/codec/erm/seed1": number for name, number in (("a", 3), ("b", 12))}
