"""Label policies change the keys of coded trials and nothing else; every coded trial leads to its recording."""

from dataclasses import replace

import pandas as pd
import pytest

from codecfake.protocols import lists
from codecfake.protocols.labels import Labels
from codecfake.protocols.lists import ConditionSettings, PartitionSettings, ProtocolError, Side, Split

SOURCES = ["T01", "G01"]  # of a codec for transmission, and of one for generation
PURPOSES = {"T01": "transmission", "G01": "generation"}
POLICIES = {
    "spoof": Labels(),
    "bonafide": Labels(coded_bonafide="bonafide"),
    "purpose": Labels(coded_bonafide={"transmission": "bonafide", "generation": "spoof"}),
    "excluded": Labels(coded_bonafide="excluded"),
    "no_spoofs": Labels(coded_spoof="excluded"),
}
RULE = Split(by="utterance", dev=0.25, eval=0.25)
RECORDED = ["corpus", "utterance_id"]


def table(corpus: str, keys: dict[str, int]) -> pd.DataFrame:
    ids = [(f"{corpus}_{key}_{place:02d}", key) for key, number in keys.items() for place in range(number)]
    rows = pd.DataFrame(ids, columns=["utterance_id", "key"])
    attack = rows["key"].map({"bonafide": "-", "spoof": "A07"})
    return rows.assign(corpus=corpus, speaker_id="s", language="en", split=None, attack=attack)


TABLES = {"read": table("read", {"bonafide": 20}), "attacked": table("attacked", {"bonafide": 12, "spoof": 12})}


def settings(policy: str, resynthesize: str = "both") -> PartitionSettings:
    labels = {source: dict(POLICIES[policy].keys(PURPOSES[source])) for source in SOURCES}
    changes = {"attacked": resynthesize} if resynthesize != "bonafide" else {}
    return PartitionSettings(list(TABLES), RULE, SOURCES, labels=labels, resynthesized=changes)


def train(policy: str, resynthesize: str = "both") -> pd.DataFrame:
    return lists.partition(settings(policy, resynthesize), TABLES, "train")


def test_coded_trials_have_the_key_of_the_policy() -> None:
    trials = train("purpose")
    keys = trials.groupby(["source", "original_key"])["key"].agg(lambda keys: "/".join(sorted(set(keys))))
    assert keys.to_dict() == {
        ("F00", "bonafide"): "bonafide", ("F00", "spoof"): "spoof",
        ("T01", "bonafide"): "bonafide", ("T01", "spoof"): "spoof",
        ("G01", "bonafide"): "spoof", ("G01", "spoof"): "spoof",
    }  # fmt: skip


@pytest.mark.parametrize("policy", ["bonafide", "purpose"])
def test_a_policy_changes_keys_and_attacks_of_coded_bona_fide_speech_alone(policy: str) -> None:
    default, other = train("spoof"), train(policy)
    pd.testing.assert_frame_equal(default.drop(columns=["key", "attack"]), other.drop(columns=["key", "attack"]))
    differ = default["key"] != other["key"]
    assert differ.any()
    assert set(default.loc[differ, "original_key"]) == {"bonafide"}
    assert "F00" not in set(default.loc[differ, "source"])
    assert (other.loc[differ, "attack"] == "-").all()


@pytest.mark.parametrize(("policy", "original"), [("excluded", "bonafide"), ("no_spoofs", "spoof")])
def test_an_excluded_trial_is_left_out_and_no_other(policy: str, original: str) -> None:
    default, other = train("spoof"), train(policy)
    left_out = default[(default["source"] != "F00") & (default["original_key"] == original)]
    assert len(left_out) > 0
    rest = default.drop(left_out.index).reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, other)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("resynthesize", ["bonafide", "spoof", "both"])
def test_every_coded_trial_has_its_recording_with_the_original_key_in_the_list(policy: str, resynthesize: str) -> None:
    trials = train(policy, resynthesize)
    recorded = trials[trials["source"] == "F00"].set_index(RECORDED)["key"]
    coded = trials[trials["source"] != "F00"]
    assert recorded.reindex(pd.MultiIndex.from_frame(coded[RECORDED])).tolist() == coded["original_key"].tolist()
    assert trials["trial_id"].is_unique


@pytest.mark.parametrize(
    ("resynthesize", "keys"), [("bonafide", {"bonafide"}), ("spoof", {"spoof"}), ("both", {"bonafide", "spoof"})]
)
def test_coded_trials_of_a_corpus_are_those_with_audio(resynthesize: str, keys: set[str]) -> None:
    trials = train("spoof", resynthesize)
    coded = trials[(trials["source"] != "F00") & (trials["corpus"] == "attacked")]
    assert set(coded["original_key"]) == keys


def test_a_coded_spoof_keeps_the_attack_of_its_original() -> None:
    trials = train("purpose")
    assert set(trials.loc[trials["original_key"] == "spoof", "attack"]) == {"A07"}
    coded = trials[(trials["original_key"] == "bonafide") & (trials["key"] == "spoof")]
    assert set(coded["attack"]) == {"G01"}


def test_without_a_policy_a_protocol_has_its_old_columns_and_spoofs_of_the_codec() -> None:
    plain = lists.partition(PartitionSettings(list(TABLES), RULE, SOURCES), TABLES, "train")
    assert list(plain.columns) == list(lists.COLUMNS)
    coded = plain[plain["source"] != "F00"]
    assert (coded["key"] == "spoof").all()
    assert (coded["attack"] == coded["source"]).all()
    assert "labels" not in lists.plain(PartitionSettings(list(TABLES), RULE, SOURCES))


@pytest.mark.parametrize(
    ("bonafide", "spoof"),
    [
        (("T01", "bonafide"), ("T01", "spoof")),
        (("F00", ""), ("T01", "spoof")),
        (("T01", "bonafide"), ("F00", "")),
        (("F00", ""), ("G01", "bonafide")),
    ],
)
def test_a_condition_selects_coded_speech_of_either_original_under_either_key(
    bonafide: tuple[str, str], spoof: tuple[str, str]
) -> None:
    changes = {"attacked": "both"}
    sides = [
        Side(list(TABLES), RULE, None, source, "eval", original, changes) for source, original in (bonafide, spoof)
    ]
    trials = lists.condition(ConditionSettings(*sides), TABLES)
    for key, (source, original) in (("bonafide", bonafide), ("spoof", spoof)):
        own = trials[trials["key"] == key]
        assert set(own["source"]) == {source}
        originals = own[RECORDED].merge(pd.concat(TABLES.values()), on=RECORDED)["key"]
        assert set(originals) == {original or key}


def test_a_condition_without_coded_spoofs_names_what_is_missing() -> None:
    side = Side(["read"], RULE)
    with pytest.raises(ProtocolError, match="no spoof trial"):
        lists.condition(ConditionSettings(side, replace(side, source="T01", original="spoof")), TABLES)
