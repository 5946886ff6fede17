"""Keys and scores of track 2 of ASVspoof 5 (SASV), where a recording is judged once for each claimed speaker."""

from pathlib import Path

import pytest

from codecfake.verification.reading import ScoreFile, VerificationError, read_protocol, read_scores
from codecfake.verification.single import EerSettings, answer


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def keys_of(file: ScoreFile) -> dict[str, bool]:
    assert file.bonafide is not None
    assert file.problems == ()
    return dict(zip(file.names, file.bonafide.tolist(), strict=True))


CLAIMS = "S1 a F bonafide target\nS2 a F bonafide nontarget\nS1 b F A17 spoof\nS2 c M bonafide nontarget\n"
CLAIM_KEYS = "spk\tfilename\tcm-label\tasv-label\n" + "".join(
    f"{speaker}\t{name}\t{'spoof' if key == 'spoof' else 'bonafide'}\t{key}\n"
    for speaker, name, _, _, key in map(str.split, CLAIMS.splitlines())
)
CLAIM_SCORES = "spk\tfilename\tcm-score\tasv-score\tsasv-score\nS1\ta\t2\t9\t8\nS2\ta\t2\t1\t1\nS1\tb\t-1\t8\t0\n"
CLAIM_SCORES += "S2\tc\t0.5\t1\t1\n"


@pytest.mark.parametrize(
    "text", [CLAIMS, CLAIM_KEYS, CLAIM_KEYS.replace("cm-label", "-"), CLAIM_KEYS.replace("\t", " ")]
)
def test_keys_of_claimed_speakers_are_those_of_recordings(tmp_path: Path, text: str) -> None:
    keys = write(tmp_path / "labels.txt", text)
    assert keys_of(read_protocol(keys)) == {"a": True, "b": False, "c": True}
    for scores in (CLAIM_SCORES, "a 2\nb -1\nc 0.5\n"):
        result = answer(write(tmp_path / "s.tsv", scores), [keys], settings=EerSettings(resamples=0))
        assert (result.rate.num_bonafide, result.rate.num_spoof, result.rate.percent) == (2, 1, 0)
        assert "labels.txt: target and nontarget are read as bona fide" in str(result)
        assert "labels.txt: 1 line left out that repeat a recording for another claimed speaker" in str(result)
        assert ("s.tsv: 1 line left out" in str(result)) == (scores == CLAIM_SCORES)


def test_a_recording_with_two_scores_or_two_keys_is_not_left_out(tmp_path: Path) -> None:
    scores = write(tmp_path / "s.tsv", CLAIM_SCORES.replace("S2\ta\t2\t", "S2\ta\t3\t"))
    with pytest.raises(VerificationError, match=r"s.tsv:3: 1 trial \(a\) scored again"):
        answer(scores, [write(tmp_path / "labels.txt", CLAIMS)])
    with pytest.raises(VerificationError, match=r"labels.txt:2: trial 'a' is listed twice"):
        read_protocol(write(tmp_path / "labels.txt", CLAIMS.replace("a F bonafide nontarget", "a F A17 spoof")))


def test_scores_of_speakers_are_no_scores_of_fakes(tmp_path: Path) -> None:
    keys = write(tmp_path / "labels.txt", CLAIM_KEYS)
    without = write(tmp_path / "s.tsv", CLAIM_SCORES.replace("\ta\t2\t", "\ta\t-\t"))
    with pytest.raises(
        VerificationError, match="s.tsv:2: score '-' is not a number: no score of a countermeasure, only"
    ):
        answer(without, [keys])
    renamed = write(tmp_path / "s.tsv", CLAIM_SCORES.replace("cm-score", "other"))
    with pytest.raises(VerificationError, match="asv-score and sasv-score are scores of speaker .* --columns score=4"):
        answer(renamed, [keys])
    assert answer(renamed, [keys], settings=EerSettings(columns={"score": 2})).rate.percent == 0


def test_a_column_may_be_called_target(tmp_path: Path) -> None:
    for name in ("file", "recording"):
        text = f"{name},target,prediction_score\na,real,1.5\nb,fake,-2\n"
        assert keys_of(read_scores(write(tmp_path / "s.csv", text))) == {"a": True, "b": False}
