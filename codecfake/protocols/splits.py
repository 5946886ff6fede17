"""Splits: pure functions of utterance ids and a seed, the same on any machine and in any order of rows."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from codecfake.base.utterances import SPLITS


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


def by_speaker(utterances: pd.DataFrame, dev: float, eval: float, seed: int) -> pd.Series:
    """The split of each row, with no speaker in two splits; `dev` and `eval` are shares of each corpus's speakers.

    Dev and eval have at least one speaker each. Raises SplitError for a corpus with fewer than three speakers, or if no
    speaker is left to train on.
    """
    speaker = utterances["corpus"] + "/" + utterances["speaker_id"]
    split_of: dict[str, str] = {}
    for corpus, group in speaker.groupby(utterances["corpus"]):
        names = pd.Series(sorted(group.unique()))
        if len(names) < len(SPLITS):
            raise SplitError(
                f"corpus {corpus} has {len(names)} speakers; a split by speaker needs at least {len(SPLITS)} "
                f"(use `split: {{by: utterance}}`)"
            )
        num_dev, num_eval = (max(1, round(share * len(names))) for share in (dev, eval))
        if num_dev + num_eval >= len(names):
            raise SplitError(f"corpus {corpus}: {len(names)} speakers leave none to train on; lower dev or eval")
        split_of |= dict(zip(names, _assign(_order(names, seed), num_dev, num_eval, names.index), strict=True))
    return speaker.map(split_of)


def by_list(utterances: pd.DataFrame, dev_speakers: list[str], eval_speakers: list[str]) -> pd.Series:
    """The split of each row by lists of speakers; speakers in neither list are in train (Wu et al. 2024).

    Raises SplitError for a speaker who is in both lists or has no utterance.
    """
    both = sorted(set(dev_speakers) & set(eval_speakers))
    if both:
        raise SplitError(f"speaker {both[0]} is in dev_speakers and in eval_speakers; a speaker belongs to one split")
    absent = sorted({*dev_speakers, *eval_speakers} - set(utterances["speaker_id"]))
    if absent:
        raise SplitError(
            f"speaker {absent[0]} of the split has no utterance in {', '.join(utterances['corpus'].unique())}; "
            f"correct dev_speakers or eval_speakers"
        )
    split_of = dict.fromkeys(dev_speakers, "dev") | dict.fromkeys(eval_speakers, "eval")
    return utterances["speaker_id"].map(split_of).fillna("train")


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
