"""Splits: pure functions of utterance ids and a seed, the same on any machine and in any order of rows."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from codecfake.base.utterances import SPLITS
from codecfake.protocols.people import People
from codecfake.protocols.utterance_lists import UtteranceLists


class SplitError(ValueError):
    """These settings cannot split the table."""


def by_utterance(utterances: pd.DataFrame, dev: float, eval: float, seed: int) -> pd.Series:
    """The split of each row, drawn by utterance over all pooled corpora (Xie et al., Section III-D).

    The number of held-out utterances is ceil((dev + eval) · n), divided as dev : eval. With 10 % each of 132,277, this
    gives the published 105,821 / 13,228 / 13,228. Speakers recur in all splits.
    """
    rank = _order(utterances["corpus"] + "/" + utterances["utterance_id"], seed)
    held_out = int(np.ceil((dev + eval) * len(utterances) - 1e-9))
    num_dev = int(held_out * dev / (dev + eval))
    return _assign(rank, num_dev, held_out - num_dev, utterances.index)


def by_speaker(utterances: pd.DataFrame, dev: float, eval: float, seed: int, people: People | None = None) -> pd.Series:
    """The split of each row, with no person in two splits; `dev` and `eval` are shares of each corpus's speakers.

    Every corpus has at least one speaker in each split. A person in several corpora is drawn with the first one; where
    this leaves a corpus without a split, corpora with fewer speakers are drawn first. Raises SplitError for a corpus
    with fewer than three speakers, or if no speaker is left to train on.
    """
    people = people or People(utterances)
    person = people.names(utterances)
    names_of = {corpus: sorted(person[utterances["corpus"] == corpus].unique()) for corpus in people.corpora}
    quotas = {corpus: _quotas(corpus, len(names), dev, eval) for corpus, names in names_of.items()}
    for order in (people.corpora, sorted(people.corpora, key=lambda corpus: (len(names_of[corpus]), corpus))):
        split_of: dict[str, str] = {}
        for corpus in order:
            split_of |= _draw(names_of[corpus], split_of, quotas[corpus], seed)
        incomplete = [corpus for corpus, names in names_of.items() if {split_of[name] for name in names} != {*SPLITS}]
        if not incomplete:
            return person.map(split_of)
    raise SplitError(
        f"corpus {incomplete[0]} has no speaker left for one of {', '.join(SPLITS)}, because other corpora "
        f"share its speakers; list the speakers (`by: listed`), or set `speakers_of: own` if they are other people"
    )


def _quotas(corpus: str, num_speakers: int, dev: float, eval: float) -> dict[str, int]:
    """The number of speakers of a corpus in eval and dev."""
    if num_speakers < len(SPLITS):
        raise SplitError(
            f"corpus {corpus} has {num_speakers} speakers; a split by speaker needs at least {len(SPLITS)} "
            f"(use `split: {{by: utterance}}`)"
        )
    quotas = {"eval": max(1, round(eval * num_speakers)), "dev": max(1, round(dev * num_speakers))}
    if sum(quotas.values()) >= num_speakers:
        raise SplitError(f"corpus {corpus}: {num_speakers} speakers leave none to train on; lower dev or eval")
    return quotas


def _draw(names: list[str], split_of: dict[str, str], quotas: dict[str, int], seed: int) -> dict[str, str]:
    """The splits of the speakers of a corpus who have none yet; those who have one count as well."""
    rest = pd.Series([name for name in names if name not in split_of])
    earlier = [split_of[name] for name in names if name in split_of]
    num_eval, num_dev = (max(0, quota - earlier.count(split)) for split, quota in quotas.items())
    return dict(zip(rest, _assign(_order(rest, seed), num_dev, num_eval, rest.index), strict=True))


def by_list(
    utterances: pd.DataFrame, dev_speakers: list[str], eval_speakers: list[str], people: People | None = None
) -> pd.Series:
    """The split of each row by lists of speakers; speakers in neither list are in train (Wu et al. 2024).

    A speaker is listed by id, or as `corpus/id` where an id means several people. Raises SplitError for a speaker who
    is in both lists, has no utterance, or could be several people.
    """
    person = (people or People(utterances)).names(utterances)
    dev, eval = (
        {_person(utterances, person, speaker): speaker for speaker in each} for each in (dev_speakers, eval_speakers)
    )
    both = sorted(eval[name] for name in set(dev) & set(eval))
    if both:
        raise SplitError(f"speaker {both[0]} is in dev_speakers and in eval_speakers; a speaker belongs to one split")
    return person.map(dict.fromkeys(dev, "dev") | dict.fromkeys(eval, "eval")).fillna("train")


def _person(utterances: pd.DataFrame, person: pd.Series, speaker: str) -> str:
    """The person whom a list calls `speaker`."""
    by_id = person[utterances["speaker_id"] == speaker]
    names = by_id if len(by_id) else person[utterances["corpus"] + "/" + utterances["speaker_id"] == speaker]
    people = sorted(names.unique())
    if not people:
        raise SplitError(
            f"speaker {speaker} of the split has no utterance in {', '.join(utterances['corpus'].unique())}; "
            f"correct dev_speakers or eval_speakers"
        )
    if len(people) > 1:
        raise SplitError(f"speaker {speaker} of the split is {len(people)} people; list {' or '.join(people)}")
    return people[0]


def by_utterance_lists(
    utterances: pd.DataFrame, lists: UtteranceLists, dev: float, seed: int, max_missing: float = 0.0
) -> pd.Series:
    """The split of each row by lists of utterances; None for those that are left out.

    Without lists of train and dev, the utterances in no list are drawn for these, `dev` of all rows for dev; without a
    list of train alone, they are in train; with all three, they are left out. Raises SplitError if more than the share
    `max_missing` of the names are no utterances, or if no utterance is left for train.
    """
    split = utterances["utterance_id"].map(lists.split_of)
    missing = missing_names(utterances, lists)
    if len(missing) > max_missing * len(lists.split_of):
        raise SplitError(
            f"{_first_of(missing)} of the {len(lists.split_of):,} listed utterances are not in "
            f"{', '.join(utterances['corpus'].unique())}; correct the list or the corpora, or allow a share of them "
            f"(`max_missing`)"
        )
    rest = utterances[split.isna()]
    if "train" in lists.splits:
        return split
    num_dev = 0 if "dev" in lists.splits else round(dev * len(utterances))
    if len(rest) <= num_dev:
        raise SplitError(
            f"the lists leave {len(rest):,} utterances, none of them to train on; list fewer, or lower dev"
        )
    rank = _order(rest["corpus"] + "/" + rest["utterance_id"], seed)
    return split.fillna(_assign(rank, num_dev, 0, rest.index))


def missing_names(utterances: pd.DataFrame, lists: UtteranceLists) -> list[str]:
    """Listed names that are no utterances, apart from fakes, which codecs may have made."""
    return sorted(set(lists.split_of) - lists.fakes - set(utterances["utterance_id"]))


def differences(utterances: pd.DataFrame, lists: UtteranceLists) -> list[str]:
    """What lists and tables do not share, in words: the numbers and the first names."""
    unlisted = sorted(set(utterances["utterance_id"]) - set(lists.split_of))
    fakes = sorted(lists.fakes - set(utterances["utterance_id"]))
    place = (
        "left out" if "train" in lists.splits else "in train" if "dev" in lists.splits else "drawn for train and dev"
    )
    texts = {
        "listed, but not in the corpora: left out": missing_names(utterances, lists),
        f"in no list: {place}": unlisted,
        "listed as fakes, and no recordings: left out": fakes,
    }
    return [f"{_first_of(names)} {text}" for text, names in texts.items() if names]


def _first_of(names: list[str]) -> str:
    """How many, and the first few."""
    return f"{len(names):,} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"


def by_corpus(utterances: pd.DataFrame) -> pd.Series:
    """The split of each row as published with its corpus. Raises SplitError for a corpus without published splits."""
    without = utterances.loc[~utterances["split"].isin(SPLITS), "corpus"].unique()
    if len(without):
        raise SplitError(f"corpus {without[0]} comes without train, dev and eval; split it by utterance or by speaker")
    return utterances["split"]


def _order(names: Iterable[str], seed: int) -> np.ndarray:
    """The rank of each name in a random order, the order of hashes; the hash of a name depends on no other name."""
    digests = [hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names]
    rank = np.empty(len(digests), dtype=int)
    rank[sorted(range(len(digests)), key=digests.__getitem__)] = np.arange(len(digests))
    return rank


def _assign(rank: np.ndarray, num_dev: int, num_eval: int, index: pd.Index) -> pd.Series:
    splits = np.select([rank < num_eval, rank < num_eval + num_dev], ["eval", "dev"], "train")
    return pd.Series(splits, index=index)
