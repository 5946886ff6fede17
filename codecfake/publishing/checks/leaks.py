"""Leaks between splits: clips, speech and audio that training and evaluation share.

Evaluated fakes of training speech are no leak, because a condition can use all utterances; but training data must not
have a fake of speech that is evaluated as bona fide. Common speakers are only counted: some data sets are split by
utterance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from codecfake.base.utterances import BONAFIDE
from codecfake.publishing.checks.findings import Fault
from codecfake.publishing.clips import Place
from codecfake.publishing.published import PublishedClip

WORDS = {"validation": "dev", "valid": "dev", "development": "dev", "test": "eval", "evaluation": "eval"}
EVAL = "eval"
Speech = tuple[str, str]  # corpus and utterance


class Use(NamedTuple):
    """A place of a clip with our word for the split, and whether the clip is bona fide."""

    part: str
    split: str
    is_bonafide: bool


class Leaks:
    """Collects clips one by one; `faults` compares them at the end."""

    def __init__(self) -> None:
        self._by_speech: dict[Speech, set[Use]] = defaultdict(set)
        self._by_audio: dict[bytes, tuple[Speech, set[Place]]] = {}
        self._speakers: dict[str, set[tuple[str, str]]] = defaultdict(set)  # by split

    def add(self, clip: PublishedClip, digest: bytes) -> Iterator[Fault]:
        """Faults of this clip, compared with itself and with clips of the same bytes; `digest` is their sha256."""
        places = {Place(place.part, our_word(place.split)) for place in clip.places}
        yield from _faults(clip.where, f"clip {clip.clip_id}", _conflicts(places, places))
        speech = (clip.corpus, clip.utterance_id or clip.twin_id or clip.clip_id)
        self._by_speech[speech] |= {Use(*place, clip.key == BONAFIDE) for place in places}
        first, others = self._by_audio.setdefault(digest, (speech, places))
        if first != speech:  # a control may return the same bytes as a spoof of the same speech
            what = f"the audio of {clip.clip_id}, which utterance {first[1]} has too,"
            yield from _faults(clip.where, what, _conflicts(others, places))
        if clip.speaker_id not in (None, "", "-"):
            for place in places:
                self._speakers[place.split].add((clip.corpus, str(clip.speaker_id)))

    def faults(self) -> Iterator[Fault]:
        """Speech that training shares with bona fide evaluation, or with the other training split of a part."""
        for (corpus, utterance), uses in self._by_speech.items():
            splits = {use.split for use in uses}
            if len(splits) < 2:
                continue
            places = {Place(use.part, use.split) for use in uses if use.split != EVAL or use.is_bonafide}
            yield from _faults(f"{corpus}/{utterance}".lstrip("/"), "speech", _conflicts(places, places))

    def notes(self) -> Iterator[str]:
        """Speakers that training and evaluation share."""
        common = (self._speakers["train"] | self._speakers["dev"]) & self._speakers[EVAL]
        if common:
            yield f"{len(common)} speakers are in training and in evaluation data, as in a split by utterance"


def our_word(split: str) -> str:
    """`dev` for `validation`, and the like."""
    return WORDS.get(split, split)


def _conflicts(first: Iterable[Place], second: Iterable[Place]) -> set[tuple[Place, Place]]:
    """Pairs of places that must have nothing in common: splits of one part, and training anywhere with evaluation.

    In a pair, evaluation comes last, and `dev` before `train`.
    """
    first, second = set(first), set(second)
    pairs = {*product(first, second), *product(second, first)}
    return {(one, other) for one, other in pairs if _is_conflict(one, other)}


def _is_conflict(one: Place, other: Place) -> bool:
    if "" in (one.split, other.split) or one.split == other.split or one.split == EVAL:
        return False
    return other.split == EVAL or (one.part == other.part and one < other)


def _faults(where: str, what: str, conflicts: set[tuple[Place, Place]]) -> Iterator[Fault]:
    if conflicts:
        first, second = min(conflicts)
        yield Fault("leak", where, f"{what} is in {_name(first)} and in {_name(second)}")


def _name(place: Place) -> str:
    return f"{place.part}/{place.split}".lstrip("/")
