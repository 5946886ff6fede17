"""The content of a demo corpus: the utterances to record, and the text files to write with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from codecfake.demo.attacks import Attack
from codecfake.demo.seeds import generator
from codecfake.demo.sounds import Event
from codecfake.demo.voices import Voice

T = TypeVar("T")


@dataclass(frozen=True)
class Take:
    """One utterance to record."""

    utterance_id: str
    voice: Voice
    sentence: str
    path: str  # of the audio file, below the demo's root
    sample_rate: int
    attack: Attack | None = None  # of a spoof; None for bona fide speech

    @property
    def speaker_id(self) -> str:
        return self.voice.speaker_id


@dataclass(frozen=True)
class SoundTake:
    """One sound event to record; its source takes the place of a speaker."""

    utterance_id: str
    speaker_id: str
    event: Event
    path: str  # of the audio file, below the demo's root
    sample_rate: int
    attack: None = None  # sounds are bona fide


@dataclass(frozen=True)
class Plan:
    """One corpus to write."""

    takes: tuple[Take, ...] | tuple[SoundTake, ...]
    texts: dict[str, str]  # path below the demo's root -> content


def draw_sentences(sentences: Sequence[T], count: int, seed: int, speaker_id: str) -> list[T]:
    """The sentences of a speaker: `count` different ones, in an order that depends on the speaker."""
    order = generator(seed, "sentences", speaker_id).permutation(len(sentences))
    return [sentences[index] for index in order[:count]]
