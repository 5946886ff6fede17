"""The recording that a generator imitates: of the same speaker, chosen by a function of ids and a seed alone."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import pandas as pd

from codecfake.base.settings import Range, SettingsError
from codecfake.protocols.people import UNKNOWN

SPEAKER = ["corpus", "speaker_id"]


@dataclass(frozen=True)
class PromptRule:
    """Which recordings of the speaker can be a prompt; durations in seconds, both bounds included."""

    least: Annotated[float, Range(above=0)] = 3.0
    most: Annotated[float, Range(above=0)] = 10.0
    utterances: Literal["all", "eval"] = "all"  # eval: only recordings of the same split as the texts

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise SettingsError(f"prompts: least is {self.least:g} s, more than most, {self.most:g} s; exchange them")

    def __str__(self) -> str:
        return f"with a transcript and of {self.least:g} to {self.most:g} s"


@dataclass(frozen=True)
class _Candidate:
    utterance_id: str
    words: str
    row: int  # in the pool


def prompts(texts: pd.DataFrame, pool: pd.DataFrame, rule: PromptRule, seed: int) -> list[int | str]:
    """For each row of `texts`, the row number of its prompt in `pool`, or the reason why it has none.

    The candidates are the other recordings of its speaker that the rule allows, without those that say the same. Each
    has a rank, the hash of seed and both ids, and the first one is the prompt: a new recording changes only the
    prompts that it becomes itself, and never those of other speakers.
    """
    by_speaker = _candidates(pool, rule)
    columns = (texts[name] for name in (*SPEAKER, "utterance_id", "text"))
    return [_prompt(by_speaker, rule, seed, *cells) for cells in zip(*columns, strict=True)]


def words(text: str) -> str:
    """A text for comparison: case, blanks and punctuation do not make another one."""
    return "".join(character for character in text.casefold() if character.isalnum())


def seed_of(seed: int, *names: str) -> int:
    """A seed in [0, 2^31) for what these names name."""
    return int.from_bytes(_hash(seed, names).digest()[:4], "big") >> 1


def _candidates(pool: pd.DataFrame, rule: PromptRule) -> dict[tuple[str, str], list[_Candidate]]:
    duration = pool["num_samples"] / pool["sample_rate"]
    fits = duration.between(rule.least, rule.most) & pool["text"].notna() & (pool["speaker_id"] != UNKNOWN)
    by_speaker: dict[tuple[str, str], list[_Candidate]] = {}
    columns = (pool[name] for name in (*SPEAKER, "utterance_id", "text"))
    for row, (fit, corpus, speaker, utterance_id, text) in enumerate(zip(fits, *columns, strict=True)):
        if fit and words(text):
            by_speaker.setdefault((corpus, speaker), []).append(_Candidate(utterance_id, words(text), row))
    return by_speaker


def _prompt(
    by_speaker: dict[tuple[str, str], list[_Candidate]],
    rule: PromptRule,
    seed: int,
    corpus: str,
    speaker: str,
    utterance_id: str,
    text: str,
) -> int | str:
    own_words, start = words(text), _hash(seed, (corpus, utterance_id))
    others = (
        (_continued(start, each.utterance_id), each)
        for each in by_speaker.get((corpus, speaker), [])
        if each.utterance_id != utterance_id and each.words != own_words
    )
    first = min(others, key=lambda pair: pair[0], default=None)
    return first[1].row if first else f"no prompt: no other recording of {corpus}/{speaker} is one {rule}"


def _hash(seed: int, names: Iterable[str]) -> "hashlib._Hash":
    return hashlib.sha256(f"{seed}:{':'.join(names)}".encode())


def _continued(start: "hashlib._Hash", name: str) -> bytes:
    """The digest of one more name; there are millions of pairs, so what they have in common is hashed once."""
    longer = start.copy()
    longer.update(f":{name}".encode())
    return longer.digest()
