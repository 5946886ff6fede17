"""Who a speaker is: one rule for splits, lists of speakers and audits, in one corpus or in several."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest

from codecfake.protocols import splits
from codecfake.protocols.lists import Split, split_utterances
from codecfake.protocols.people import People, group, is_circular


def corpus(name: str, speakers: list[str], each: int = 2) -> pd.DataFrame:
    rows = [(name, speaker, f"{name}_{speaker}_{n}") for speaker in speakers for n in range(each)]
    return pd.DataFrame(rows, columns=["corpus", "speaker_id", "utterance_id"])


def ids(first: int, last: int) -> list[str]:
    return [f"p{number}" for number in range(first, last)]


def splits_of_people(rows: pd.DataFrame, split: pd.Series) -> dict[str, set[str]]:
    return {str(speaker): set(part) for speaker, part in split.groupby(rows["speaker_id"])}


# speaker ids of two corpora, the second with some, all or none of the first one's people, and of three corpora
SHARED = [
    (ids(0, 5), ids(0, 5)),
    (ids(0, 40), ids(0, 3)),
    (ids(0, 3), ids(0, 40)),
    (ids(0, 40), ids(30, 50)),
    (ids(0, 10), ids(10, 20)),
    (ids(0, 20), ids(5, 12), ids(10, 30)),
]


@pytest.mark.parametrize(("speakers", "seed"), product(SHARED, range(4)))
def test_a_split_by_speaker_keeps_a_person_of_several_corpora_in_one_part(
    speakers: tuple[list[str], ...], seed: int
) -> None:
    rows = pd.concat([corpus(f"c{number}", each) for number, each in enumerate(speakers)], ignore_index=True)
    split = splits.by_speaker(rows, 0.2, 0.2, seed)
    assert {len(parts) for parts in splits_of_people(rows, split).values()} == {1}
    for _, parts in split.groupby(rows["corpus"]):
        assert set(parts) == {"train", "dev", "eval"}


@pytest.mark.parametrize("speakers", SHARED)
def test_a_split_of_shared_people_does_not_depend_on_the_order_of_rows(speakers: tuple[list[str], ...]) -> None:
    rows = pd.concat([corpus(f"c{number}", each) for number, each in enumerate(speakers)], ignore_index=True)
    shuffled = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    assert splits.by_speaker(shuffled, 0.2, 0.2, seed=1).sort_index().equals(splits.by_speaker(rows, 0.2, 0.2, seed=1))


def test_a_corpus_that_is_named_own_is_a_corpus_like_any_other() -> None:
    rows = pd.concat([corpus("own", ids(0, 3)), corpus("vctk", ids(0, 3))], ignore_index=True)
    assert group("own", {}) == group("vctk", {}) == ""
    assert People(rows).names(rows).nunique() == 3


def test_a_corpus_is_split_as_if_it_were_alone_where_it_shares_nobody() -> None:
    alone, other = corpus("a", ids(0, 20)), corpus("b", ids(50, 60))
    both = pd.concat([alone, other], ignore_index=True)
    assert (splits.by_speaker(both, 0.1, 0.2, 1)[: len(alone)] == splits.by_speaker(alone, 0.1, 0.2, 1)).all()


def test_the_first_corpus_of_a_list_is_split_as_if_it_were_alone() -> None:
    tables = {"vctk": corpus("vctk", ids(0, 100)), "fakes": corpus("fakes", ids(0, 60))}
    rule = Split(by="speaker")
    alone = split_utterances(["vctk"], rule, tables)["split"]
    assert (split_utterances(["vctk", "fakes"], rule, tables)["split"][: len(alone)] == alone).all()


def test_people_of_a_corpus_of_its_own_are_other_people() -> None:
    tables = {"a": corpus("a", ids(0, 9)), "b": corpus("b", ids(0, 9))}
    apart = split_utterances(["a", "b"], Split(by="speaker"), tables, {"b": "own"})
    assert any(len(parts) > 1 for parts in splits_of_people(apart, apart["split"]).values())


def test_a_corpus_all_of_whose_people_must_be_elsewhere_is_an_error() -> None:
    rows = pd.concat([corpus("a", ids(0, 3)), corpus("b", ["p0", "p1", "p3"]), corpus("c", ["p2", "p3", "p4"])])
    with pytest.raises(splits.SplitError, match=r"has no speaker left .* list the speakers \(`by: listed`\)"):
        for seed in range(30):
            splits.by_speaker(rows.reset_index(drop=True), 0.3, 0.3, seed)


# speakers_of


def names(speakers_of: dict[str, str], *pairs: tuple[str, str]) -> list[str]:
    rows = pd.DataFrame(pairs, columns=["corpus", "speaker_id"])
    return list(People(rows, speakers_of=speakers_of).names(rows))


@pytest.mark.parametrize(
    ("speakers_of", "people"),
    [
        ({}, ["a/84", "a/84", "a/84"]),
        ({"b": "a"}, ["a/84", "a/84", "a/84"]),
        ({"c": "own"}, ["a/84", "a/84", "c/84"]),
        ({"a": "own"}, ["a/84", "b/84", "b/84"]),
        ({"a": "own", "b": "a"}, ["a/84", "a/84", "c/84"]),
        ({"a": "own", "b": "c", "c": "a"}, ["a/84", "a/84", "a/84"]),
        ({"b": "own", "c": "own"}, ["a/84", "b/84", "c/84"]),
        ({"b": "absent"}, ["a/84", "a/84", "a/84"]),
    ],
)
def test_equal_ids_are_one_person_unless_the_experiment_says_otherwise(
    speakers_of: dict[str, str], people: list[str]
) -> None:
    assert names(speakers_of, ("a", "84"), ("b", "84"), ("c", "84")) == people


def test_unknown_speakers_of_two_corpora_are_not_one_person() -> None:
    assert names({}, ("a", "-"), ("b", "-")) == ["a/-", "b/-"]
    assert names({"b": "a"}, ("a", "-"), ("b", "-")) == ["a/-", "b/-"]


def test_a_name_in_two_unicode_forms_is_one_person() -> None:
    assert names({}, ("a", "Zo\u00eb"), ("b", "Zoe\u0308")) == ["a/Zo\u00eb", "a/Zo\u00eb"]


def test_the_first_corpus_names_a_person() -> None:
    rows = pd.concat([corpus("a", ["x"]), corpus("b", ["x"])])
    for order in permutations(["a", "b"]):
        assert set(People(rows, order).names(rows)) == {f"{order[0]}/x"}


def test_an_owner_is_followed_and_a_circle_of_owners_ends() -> None:
    assert group("a", {"a": "b", "b": "c", "c": "own"}) == "c"
    assert group("a", {"a": "b", "b": "a"}) == ""
    assert is_circular("a", {"a": "b", "b": "a"})
    assert is_circular("a", {"a": "a"})
    assert not is_circular("a", {"a": "b", "b": "b"})
    assert not is_circular("a", {"a": "own"})


# listed speakers


def test_a_listed_speaker_is_held_out_in_every_corpus() -> None:
    rows = pd.concat([corpus("a", ids(0, 4)), corpus("b", ids(0, 4))], ignore_index=True)
    split = splits.by_list(rows, ["p1"], ["p2"])
    parts = splits_of_people(rows, split)
    assert (parts["p1"], parts["p2"], parts["p0"]) == ({"dev"}, {"eval"}, {"train"})


@pytest.mark.parametrize("name", ["Alec Guinness", " leading", "two  blanks", "a\u3000b", "x/y", "84"])
def test_any_speaker_id_can_be_listed(name: str) -> None:
    rows = corpus("a", [name, "other", "third"])
    assert splits_of_people(rows, splits.by_list(rows, [name], ["third"]))[name] == {"dev"}


def test_an_id_of_two_people_must_be_listed_with_its_corpus() -> None:
    rows = pd.concat([corpus("a", ids(0, 4)), corpus("b", ids(0, 4))], ignore_index=True)
    people = People(rows, speakers_of={"b": "own"})
    with pytest.raises(splits.SplitError, match="speaker p1 of the split is 2 people; list a/p1 or b/p1"):
        splits.by_list(rows, ["p1"], ["p2"], people)
    split = splits.by_list(rows, ["b/p1"], ["a/p1"], people)
    assert set(rows.loc[split == "dev", "utterance_id"]) == {"b_p1_0", "b_p1_1"}
    assert set(rows.loc[split == "eval", "utterance_id"]) == {"a_p1_0", "a_p1_1"}


def test_one_person_under_two_names_cannot_be_in_dev_and_eval() -> None:
    rows = pd.concat([corpus("a", ids(0, 4)), corpus("b", ids(0, 4))], ignore_index=True)
    with pytest.raises(splits.SplitError, match="speaker b/p1 is in dev_speakers and in eval_speakers"):
        splits.by_list(rows, ["a/p1"], ["b/p1"])
