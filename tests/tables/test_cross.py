"""Cross-testing, held-out codecs, and where the errors are: numbers worked out by hand."""

from pathlib import Path

import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables import ScoreError, TableSettings, evaluate
from codecfake.tables.breakdown import write_breakdown
from codecfake.tables.cross import write_cross
from codecfake.tables.held_out import write_held_out

MODEL, OTHER = "mel-lcnn/codec/erm/seed1", "mel-lcnn/codec/erm/seed2"
ROWS = {  # trial -> corpus, source, key, language, attack
    "b1": ("vctk", "F00", "bonafide", "en", "-"),
    "b2": ("aishell3", "F00", "bonafide", "zh", "-"),
    "F01_b1": ("vctk", "F01", "spoof", "en", "F01"),
    "F01_b2": ("aishell3", "F01", "spoof", "zh", "F01"),
    "F02_b1": ("vctk", "F02", "spoof", "en", "F02"),
    "itw": ("itw", "F00", "spoof", "en", "itw"),
}
CONDITIONS = {"C1": ["b1", "b2", "F01_b1", "F01_b2"], "C2": ["b1", "b2", "F02_b1", "F01_b2"], "D": ["b1", "itw"]}
SCORES = {"b1": 2.0, "b2": -1.0, "F01_b1": 0.0, "F01_b2": -2.0, "F02_b1": -3.0, "itw": 5.0}


def write_protocol(root: Path, condition: str, trials: list[str]) -> None:
    rows = [
        {
            "speaker_id": trial[-2:], "trial_id": trial, "utterance_id": trial.split("_")[-1], "source": source,
            "key": key, "corpus": corpus, "language": language, "attack": attack,
        }
        for trial in trials
        for corpus, source, key, language, attack in [ROWS[trial]]
    ]  # fmt: skip
    files.write_tsv(root / "eval" / f"{condition}.tsv", pd.DataFrame(rows))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for condition, trials in CONDITIONS.items():
        write_protocol(tmp_path, condition, trials)
        for model, sign in ((MODEL, 1), (OTHER, -1)):
            scores = pd.DataFrame({"trial_id": trials, "score": [sign * SCORES[trial] for trial in trials]})
            files.write_tsv(tmp_path / "scores" / model / f"{condition}.tsv", scores)
    return tmp_path


def cross(run: Path, models: list[str], name: str) -> pd.Series:
    settings = TableSettings(models, list(CONDITIONS), resamples=10)
    error_rates = evaluate(run / "scores", run / "eval", settings)
    write_cross(run / "scores", run / "eval", settings, error_rates, run)
    return pd.read_csv(run / f"{name}.csv").iloc[0]


def test_conditions_are_columns_and_the_macro_average_weighs_them_alike(run: Path) -> None:
    row = cross(run, [MODEL], "cross_conditions")
    assert (row["training_set"], row["num_seeds"]) == ("codec", 1)
    assert (row["C1"], row["C2"], row["D"]) == (50, 0, 100)
    assert row["macro_average"] == 50


def test_each_recording_counts_once_in_the_pooled_rate(run: Path) -> None:
    """One of two bona fide trials is at 2 and the other at -1; of four spoofs, two are above -1 and one is above 2."""
    row = cross(run, [MODEL], "cross_conditions")
    assert row["pooled"] == pytest.approx((50 + 50) / 2)


def test_a_corpus_of_one_key_has_no_rate_and_is_not_averaged(run: Path) -> None:
    row = cross(run, [MODEL], "cross_corpora")
    assert (row["vctk"], row["aishell3"]) == (0, 0)
    assert pd.isna(row["itw"])
    assert row["macro_average"] == 0


def test_rates_are_means_over_seeds(run: Path) -> None:
    assert cross(run, [MODEL, OTHER], "cross_corpora")["vctk"] == 50
    assert cross(run, [MODEL, OTHER], "cross_conditions")["D"] == 50


def test_a_recording_with_two_keys_is_an_error(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "b1", ("vctk", "F00", "spoof", "en", "x"))
    write_protocol(run, "C2", CONDITIONS["C2"])
    with pytest.raises(ScoreError, match="vctk/F00/b1 is bona fide in one of C1, C2, D and a spoof in another"):
        cross(run, [MODEL], "cross_conditions")


def test_attacks_and_languages_have_rates_where_a_condition_has_several(run: Path) -> None:
    write_breakdown(run / "scores", run / "eval", TableSettings([MODEL], list(CONDITIONS)), run)
    table = pd.read_csv(run / "eer_groups.csv").set_index(["condition", "by", "group"])
    assert set(table.index) == {
        ("C1", "language", "en"), ("C1", "language", "zh"), ("C2", "attack", "F01"), ("C2", "attack", "F02"),
        ("C2", "language", "en"), ("C2", "language", "zh"),
    }  # fmt: skip
    assert table.loc[("C1", "language", "zh"), "eer_percent"] == 0
    assert tuple(table.loc[("C2", "attack", "F01"), ["num_bonafide", "num_spoof"]]) == (2, 1)


def test_codings_have_rates_of_the_trials_of_both_keys_that_have_them(run: Path) -> None:
    """Both `alaw` trials of C1 are at 2 and -2; the bona fide `opus` trial is at -1, below its spoof at 0."""
    path = run / "eval/C1.tsv"
    coding = {"b1": "alaw", "F01_b2": "alaw", "b2": "opus", "F01_b1": "opus"}
    table = files.read_tsv(path)
    files.write_tsv(path, table.assign(coding=table["trial_id"].map(coding)))
    write_breakdown(run / "scores", run / "eval", TableSettings([MODEL], list(CONDITIONS)), run)
    groups = pd.read_csv(run / "eer_groups.csv").set_index(["condition", "by", "group"])
    assert set(groups.loc["C1"].loc["coding"].index) == {"alaw", "opus"}
    assert groups.loc[("C1", "coding", "alaw"), "eer_percent"] == 0
    assert groups.loc[("C1", "coding", "opus"), "eer_percent"] == 100
    assert "coding" not in groups.loc["C2"].index.get_level_values("by")


def test_shares_of_speakers_add_up_and_the_most_errors_come_first(run: Path) -> None:
    write_breakdown(run / "scores", run / "eval", TableSettings([MODEL], list(CONDITIONS)), run)
    table = pd.read_csv(run / "speaker_errors.csv")
    assert table["error_share_percent"].sum() == pytest.approx(100)
    assert table["trial_share_percent"].sum() == pytest.approx(100)
    errors = table["misses"] + table["false_alarms"]
    assert errors.is_monotonic_decreasing
    assert table["num_bonafide"].sum() + table["num_spoof"].sum() == sum(map(len, CONDITIONS.values()))


def test_a_held_out_codec_is_compared_with_the_training_sets_that_have_it(run: Path) -> None:
    models = [f"mel-lcnn/{name}/erm/seed1" for name in ("with", "without")]
    for model, sign in zip(models, (1, -1), strict=True):
        for condition, trials in CONDITIONS.items():
            scores = pd.DataFrame({"trial_id": trials, "score": [sign * SCORES[trial] for trial in trials]})
            files.write_tsv(run / "scores" / model / f"{condition}.tsv", scores)
    settings = TableSettings(
        models, list(CONDITIONS), resamples=10, held_out={"without": ["C2"]}, trained={"with": ["C1", "C2"]}
    )
    write_held_out(evaluate(run / "scores", run / "eval", settings), settings, run)
    (row,) = pd.read_csv(run / "held_out.csv").to_dict("records")
    assert (row["condition"], row["training_set"], row["num_sets_with_codec"]) == ("C2", "without", 1)
    assert (row["eer_percent"], row["eer_with_codec_percent"], row["difference_percent_points"]) == (100, 0, 100)


def test_without_codecs_to_hold_out_the_table_is_empty(run: Path) -> None:
    settings = TableSettings([MODEL], list(CONDITIONS), resamples=10)
    write_held_out(evaluate(run / "scores", run / "eval", settings), settings, run)
    assert len(pd.read_csv(run / "held_out.csv")) == 0
