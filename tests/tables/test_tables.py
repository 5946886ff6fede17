"""Score files to tables: joins that lose nothing, and numbers worked out by hand."""

from pathlib import Path

import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables import Model, ScoreError, read_protocol, read_scores, write_tables
from codecfake.tables.trials import read_trials

MODEL = "mel-lcnn/codec/erm/seed1"
BONAFIDE = {"b1": 0.5, "b2": 2.0, "b3": 3.0, "b4": 4.0}
SPOOF = {"s1": -3.0, "s2": -2.0, "s3": -1.0, "s4": 1.0}


def write_protocol(root: Path, condition: str, bonafide: list[str], spoof: list[str], attack: str = "F01") -> Path:
    keys = ["bonafide"] * len(bonafide) + ["spoof"] * len(spoof)
    path = root / "protocols" / f"{condition}.tsv"
    trials = bonafide + spoof
    who = [f"s{trial[1:]}" for trial in trials]  # b1 and s1 are of one speaker
    attacks = ["-"] * len(bonafide) + [attack] * len(spoof)
    columns = {"speaker_id": who, "trial_id": trials, "key": keys, "corpus": "vctk", "attack": attacks}
    files.write_tsv(path, pd.DataFrame(columns))
    return path


def write_scores(root: Path, model: str, condition: str, scores: dict[str, object]) -> Path:
    path = root / "scores" / model / f"{condition}.tsv"
    files.write_tsv(path, pd.DataFrame({"trial_id": list(scores), "score": list(scores.values())}))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """One model under one condition: the bona fide trial b1 and the spoof s4 are on the wrong sides of each other."""
    write_protocol(tmp_path, "C1", list(BONAFIDE), list(SPOOF))
    write_scores(tmp_path, MODEL, "C1", {**BONAFIDE, **SPOOF})
    for seal in tmp_path.rglob("*.sha256"):  # tests change these files
        seal.unlink()
    return tmp_path


def tables(run: Path, models: list[str], conditions: list[str], folder: str = "tables") -> Path:
    write_tables(run / "scores", run / "protocols", models, conditions, run / folder)
    return run / folder


def test_eer_is_one_error_of_four_in_each_class(run: Path) -> None:
    row = pd.read_csv(tables(run, [MODEL], ["C1"]) / "eer.csv").iloc[0]

    # b1 at 0.5 is missed and s4 at 1.0 is accepted by every threshold between them: 1 / 4 each.
    assert row["eer_percent"] == 25
    assert 0.5 <= row["threshold"] < 1.0
    assert (row["num_bonafide"], row["num_spoof"]) == (4, 4)


def test_eer_step_is_one_error_in_the_smaller_class(run: Path) -> None:
    write_protocol(run, "C1", list(BONAFIDE), ["s1", "s2"])
    write_scores(run, MODEL, "C1", {**BONAFIDE, "s1": -1.0, "s2": -2.0})

    assert pd.read_csv(tables(run, [MODEL], ["C1"]) / "eer.csv")["eer_step_percent"].item() == 50


def test_confusion_counts_at_score_zero_name_the_two_errors_apart(run: Path) -> None:
    row = pd.read_csv(tables(run, [MODEL], ["C1"]) / "confusion.csv").iloc[0]

    assert (row["true_bonafide"], row["missed_bonafide"]) == (4, 0)
    assert (row["true_spoof"], row["false_bonafide"]) == (3, 1)


def test_numbers_have_six_decimals(run: Path) -> None:
    write_protocol(run, "C1", ["b1", "b2", "b3"], list(SPOOF))
    write_scores(run, MODEL, "C1", {"b1": 0.5, "b2": 2.0, "b3": 3.0, **SPOOF})

    text = (tables(run, [MODEL], ["C1"]) / "eer.csv").read_text()

    assert ",3,4,33.333333," in text.splitlines()[1]


def test_the_order_of_score_lines_models_and_conditions_does_not_change_a_byte(run: Path) -> None:
    write_protocol(run, "C2", list(BONAFIDE), list(SPOOF))
    other = "aasist/codec/erm/seed10"
    for model in (MODEL, other):
        write_scores(run, model, "C2", {**SPOOF, **BONAFIDE})
    write_scores(run, other, "C1", {**SPOOF, **BONAFIDE})

    one = tables(run, [MODEL, other], ["C1", "C2"], "one")
    two = tables(run, [other, MODEL], ["C2", "C1"], "two")

    for name in ("eer.csv", "confusion.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_an_inverted_detector_keeps_its_eer_and_is_warned_of(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_scores(run, MODEL, "C1", {trial: -score for trial, score in {**BONAFIDE, **SPOOF}.items()})

    eer = pd.read_csv(tables(run, [MODEL], ["C1"]) / "eer.csv")["eer_percent"].item()

    assert eer == 75
    assert f"{MODEL}, C1: EER is 75.00 %" in caplog.text


def test_scores_are_joined_by_trial_and_not_by_order(run: Path) -> None:
    path = write_scores(run, MODEL, "C1", dict(reversed({**BONAFIDE, **SPOOF}.items())))

    scores = read_scores(path, read_protocol(run / "protocols/C1.tsv"))

    assert list(scores.bonafide) == list(BONAFIDE.values())
    assert list(scores.spoof) == list(SPOOF.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b2": None}, "no score: trial b2;"),
        ({"b2": None, "s1": None}, "no score: trial b2 and 1 more;"),
        ({"x9": 1.0}, "not in the protocol: trial x9;"),
        ({"s3": "nan"}, "not a finite number: trial s3;"),
        ({"s3": "-inf"}, "not a finite number: trial s3;"),
        ({"s3": "high"}, "not a finite number: trial s3;"),
    ],
)
def test_a_score_file_that_does_not_answer_its_protocol_is_refused(
    run: Path, change: dict[str, object], message: str
) -> None:
    scores = {**BONAFIDE, **SPOOF, **change}
    write_scores(run, MODEL, "C1", {trial: score for trial, score in scores.items() if score is not None})

    with pytest.raises(ScoreError, match=message):
        tables(run, [MODEL], ["C1"])


def test_a_trial_scored_twice_is_refused(run: Path) -> None:
    path = run / "scores" / MODEL / "C1.tsv"
    path.write_text(path.read_text() + "b3\t3.0\n")

    with pytest.raises(ScoreError, match="scored twice: trial b3;"):
        tables(run, [MODEL], ["C1"])


def test_a_trial_listed_twice_is_refused(run: Path) -> None:
    write_protocol(run, "C1", [*BONAFIDE, "b1"], list(SPOOF))

    with pytest.raises(ScoreError, match="listed twice: trial b1;"):
        tables(run, [MODEL], ["C1"])


@pytest.mark.parametrize(
    ("bonafide", "spoof", "absent"), [([], ["s1"], "bonafide"), (["b1"], [], "spoof"), ([], [], "bonafide")]
)
def test_a_condition_of_one_class_is_refused(run: Path, bonafide: list[str], spoof: list[str], absent: str) -> None:
    path = write_protocol(run, "C1", bonafide, spoof)

    with pytest.raises(ScoreError, match=f"no {absent} trial"):
        read_protocol(path)


def test_an_unknown_key_is_refused(run: Path) -> None:
    path = run / "protocols/C1.tsv"
    path.write_text(path.read_text().replace("s2\tspoof", "s2\tfake"))

    with pytest.raises(ScoreError, match="neither bonafide nor spoof: trial s2;"):
        read_protocol(path)


def test_a_protocol_without_speakers_is_refused_as_intervals_need_them(run: Path) -> None:
    path = run / "protocols/C1.tsv"
    path.write_text(path.read_text().replace("speaker_id", "who"))

    with pytest.raises(ScoreError, match="no column 'speaker_id', which intervals need; write the protocols again"):
        tables(run, [MODEL], ["C1"])


def test_an_id_in_two_corpora_is_one_speaker_unless_the_experiment_says_otherwise(run: Path) -> None:
    path = run / "protocols/C1.tsv"
    path.write_text(path.read_text().replace("s1\ts1\tspoof\tvctk", "s1\ts1\tspoof\taishell3"))

    assert read_trials(path).num_speakers == 4
    assert read_trials(path, {"aishell3": "own"}).num_speakers == 5


def test_metrics_stand_in_a_table_of_their_own(run: Path) -> None:
    row = pd.read_csv(tables(run, [MODEL], ["C1"]) / "metrics.csv").iloc[0]

    # 15 of the 16 pairs of a bona fide and a spoof trial are in order
    assert row["roc_auc"] == 15 / 16
    assert row["min_dcf"] <= row["act_dcf"]
    assert row["min_cllr"] <= row["cllr"]


def test_a_model_name_says_its_four_parts_and_back() -> None:
    model = Model.parse("w2v2-aasist/co-trained/csam/seed3")

    assert model == Model("w2v2-aasist", "co-trained", "csam", 3)
    assert model.name == "w2v2-aasist/co-trained/csam/seed3"


@pytest.mark.parametrize("name", ["mel-lcnn", "a/b/c/3x", "a/b/c/seed", "a/b/c/d/seed1"])
def test_a_malformed_model_name_is_refused(name: str) -> None:
    with pytest.raises(ScoreError, match="must be named"):
        Model.parse(name)
