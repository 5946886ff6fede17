"""The table of label policies: the same trials and scores, with the keys of each policy."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables.label_policies import write_label_policies
from codecfake.tables.settings import LabelPolicy, TableSettings

MODEL = "mel-lcnn/codec/erm/seed1"
POLICIES = [
    LabelPolicy("strict", {"T01": {"bonafide": "spoof", "spoof": "spoof"}}),
    LabelPolicy("channel", {"T01": {"bonafide": "bonafide", "spoof": "spoof"}}),
    LabelPolicy("without", {"T01": {"bonafide": "excluded", "spoof": "spoof"}}),
]
NUMBER = 8  # of trials of each kind
# kinds of trials with their scores: this detector takes coded speech for spoof
SCORES = {("F00", "bonafide"): 4.0, ("F00", "spoof"): -1.0, ("T01", "bonafide"): -2.0, ("T01", "spoof"): -3.0}


def trials(source: str, original: str) -> pd.DataFrame:
    prefix = "" if source == "F00" else f"{source}_"
    rows = [{"utterance_id": f"{original}{n}", "speaker_id": f"p{n % 4}"} for n in range(NUMBER)]
    table = pd.DataFrame(rows).assign(source=source, original_key=original, corpus="c", language="en")
    key = original if source == "F00" else "spoof"
    attack = "A07" if original == "spoof" else "-" if source == "F00" else source
    return table.assign(trial_id=prefix + table["utterance_id"], key=key, attack=attack)


def table_of(tmp_path: Path, spoofs: dict[str, tuple[str, str]], policies: list[LabelPolicy]) -> pd.DataFrame:
    """The table of conditions with recorded bona fide speech and these spoofs."""
    for condition, kind in spoofs.items():
        both = pd.concat([trials("F00", "bonafide"), trials(*kind)])
        scores = [SCORES[row.source, row.original_key] + 0.01 * n for n, row in enumerate(both.itertuples())]
        if kind == ("T01", "bonafide"):  # as in lists without a policy
            both = both.drop(columns="original_key")
        files.write_tsv(tmp_path / f"eval/{condition}.tsv", both)
        table = pd.DataFrame({"trial_id": both["trial_id"], "score": scores})
        files.write_tsv(tmp_path / f"scores/{MODEL}/{condition}.tsv", table)
    settings = TableSettings([MODEL], list(spoofs), resamples=20, label_policies=policies)
    write_label_policies(tmp_path / "scores", tmp_path / "eval", settings, tmp_path / "tables")
    return pd.read_csv(tmp_path / "tables/label_policy.csv")


@pytest.fixture
def table(tmp_path: Path) -> pd.DataFrame:
    spoofs = {"recorded": ("F00", "spoof"), "coded": ("T01", "bonafide"), "coded-spoofs": ("T01", "spoof")}
    return table_of(tmp_path, spoofs, POLICIES).set_index(["source", "policy"])


def test_every_policy_has_the_same_trials(table: pd.DataFrame) -> None:
    assert len(table) == 6  # of all trials, and of T01
    assert set(table[["num_bonafide", "num_spoof", "num_excluded"]].sum(axis=1)) == {4 * NUMBER}


def test_the_eer_follows_the_policy_on_the_same_scores(table: pd.DataFrame) -> None:
    eer = table["eer_percent"].loc["all"]
    assert eer["strict"] == eer["without"] == 0
    assert eer["channel"] == 50  # half of the bona fide trials score below half of the spoofs


def test_keys_that_change_are_counted_against_the_first_policy(table: pd.DataFrame) -> None:
    assert table["num_changed"].loc["all"].to_dict() == {"strict": 0, "channel": NUMBER, "without": NUMBER}
    assert table["num_excluded"].loc["all"].to_dict() == {"strict": 0, "channel": 0, "without": NUMBER}


def test_eers_have_intervals_around_them(table: pd.DataFrame) -> None:
    channel = table.loc["all", "channel"]
    assert channel["eer_low_percent"] <= channel["eer_percent"] <= channel["eer_high_percent"]
    assert channel["eer_low_percent"] < channel["eer_high_percent"]


def test_a_policy_that_leaves_no_spoof_has_an_empty_eer(tmp_path: Path) -> None:
    table = table_of(tmp_path, {"coded": ("T01", "bonafide")}, POLICIES).set_index(["source", "policy"])
    assert np.isnan(table.loc[("all", "channel"), "eer_percent"])
    assert table.loc[("all", "channel"), "num_spoof"] == 0
    assert table.loc[("all", "strict"), "eer_percent"] == 0


def test_an_experiment_without_policies_has_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        table_of(tmp_path, {"coded": ("T01", "bonafide")}, [])
