"""Splits: pure functions of utterance ids and a seed, the same on any machine and in any order of rows."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from codecfake.base.utterances import SPLITS


class SplitError(ValueError):
    """A table cannot be split as asked."""


def by_utterance(utterances: pd.DataFrame, dev: float, eval: float, seed: int) -> pd.Series:
    """The split of each row, drawn per utterance over all corpora pooled (Xie et al., Section III-D).

    Held out are ceil((dev + eval) · n) utterances, shared out as dev : eval; at 10 % each of
    132,277 that is the published 105,821 / 13,228 / 13,228. Speakers recur in every split.
    """
    rank = _order(utterances["corpus"] + "/" + utterances["utterance_id"], seed)
    held_out = int(np.ceil((dev + eval) * len(utterances) - 1e-9))
    num_dev = int(held_out * dev / (dev + eval))
    return _assign(rank, num_dev, held_out - num_dev, utterances.index)


def by_speaker(utterances: pd.DataFrame, dev: float, eval: float, seed: int) -> pd.Series:
    """The split of each row, no speaker in two splits, the given shares of each corpus's speakers (at least one).

    Raises SplitError for a corpus with fewer than three speakers.
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
    """The split of each row, as its speaker is listed; speakers in neither list are trained on (Wu et al. 2024).

    Raises SplitError for a speaker who is in both lists or of whom there is no utterance.
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
    """The split of each row as published with its corpus. Raises SplitError if it is published without one."""
    without = utterances.loc[~utterances["split"].isin(SPLITS), "corpus"].unique()
    if len(without):
        raise SplitError(f"corpus {without[0]} comes without train, dev and eval; split it by utterance or by speaker")
    return utterances["split"]


def _order(names: Iterable[str], seed: int) -> np.ndarray:
    """Rank of each name in a random order: that of its hash, which no other name influences."""
    digests = [hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in names]
    rank = np.empty(len(digests), dtype=int)
    rank[sorted(range(len(digests)), key=digests.__getitem__)] = np.arange(len(digests))
    return rank


def _assign(rank: np.ndarray, num_dev: int, num_eval: int, index: pd.Index) -> pd.Series:
    splits = np.select([rank < num_eval, rank < num_eval + num_dev], ["eval", "dev"], "train")
    return pd.Series(splits, index=index)
