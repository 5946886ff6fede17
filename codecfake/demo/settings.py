"""The sizes of the demo's corpora."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from codecfake.base.settings import Fault, FaultsError
from codecfake.base.suggestions import unknown
from codecfake.demo import attacks, texts, voices

OF_SOUNDS = ("sound_sources", "sounds_per_source")
LEAST_SOUND_SOURCES, MOST_SOUND_SOURCES, MOST_TAKES = 5, 1000, 26


@dataclass(frozen=True)
class DemoSettings:
    """Numbers of speakers and utterances, the length of sentences, and numbers of sounds.

    The defaults make about three quarters of an hour of speech.
    """

    seed: int = 1
    english_speakers: int = 12
    mandarin_speakers: int = 12
    codec_training_speakers: int = 8
    utterances_per_speaker: int = 20  # of each of the speakers above
    vocoder_speakers: int = 10
    bonafide_per_vocoder_speaker: int = 12
    spoofs_per_attack: int = 6  # and per vocoder speaker
    sentences: str = "long"  # or "short": about 2.5 or 1.5 seconds
    sound_sources: int = 0  # bells, birds, engines, …; 0: no corpus of sounds
    sounds_per_source: int = 4

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise FaultsError("demo", faults)

    def _faults(self) -> Iterator[Fault]:
        if self.sentences not in texts.LENGTHS:
            yield Fault(("sentences",), unknown("length", self.sentences, texts.LENGTHS))
            return
        num_english = len(texts.english(self.sentences))
        num_sentences = min(num_english, len(texts.mandarin(self.sentences)))
        yield from self._fault("english_speakers", 1, len(voices.ENGLISH), "voices in the table")
        yield from self._fault("mandarin_speakers", 2, len(voices.MANDARIN), "voices in the table; one is for `test`")
        yield from self._fault("codec_training_speakers", 1, len(voices.CODEC_TRAINING), "voices in the table")
        yield from self._fault("utterances_per_speaker", 1, num_sentences, "sentences in the shorter list")
        yield from self._fault("vocoder_speakers", 3, len(voices.VOCODER), "voices in the table, one a partition")
        yield from self._fault("bonafide_per_vocoder_speaker", 1, num_english, "English sentences")
        num_attacks = max(len(attacks.KNOWN_ATTACKS), len(attacks.UNKNOWN_ATTACKS))
        most_spoofs = (num_english - self.bonafide_per_vocoder_speaker) // num_attacks
        yield from self._fault("spoofs_per_attack", 1, most_spoofs, "English sentences that are left for each attack")
        if self.sound_sources:
            yield from self._fault(
                "sound_sources", LEAST_SOUND_SOURCES, MOST_SOUND_SOURCES, "at least one in each fold"
            )
        yield from self._fault("sounds_per_source", 1, MOST_TAKES, "letters of takes")

    def plain(self) -> dict[str, Any]:
        """The settings by name; those of sounds only where there are sounds."""
        return {name: value for name, value in asdict(self).items() if self.sound_sources or name not in OF_SOUNDS}

    def _fault(self, name: str, low: int, high: int, bound: str) -> Iterator[Fault]:
        value = getattr(self, name)
        if not low <= value <= high:
            yield Fault((name,), f"{value} is out of range; it can be {low} to {high} ({bound})")
