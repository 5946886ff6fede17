"""How large the demo's corpora are."""

from dataclasses import dataclass

from codecfake.base.settings import SettingsError
from codecfake.demo import copy_synthesis, texts, voices


@dataclass(frozen=True)
class DemoSettings:
    """Numbers of speakers and utterances; the defaults make about three quarters of an hour of speech."""

    seed: int = 1
    english_speakers: int = 12
    mandarin_speakers: int = 12
    codec_training_speakers: int = 8
    utterances_per_speaker: int = 20  # of the three above
    vocoder_speakers: int = 10
    bonafide_per_vocoder_speaker: int = 12
    spoofs_per_attack: int = 8  # and vocoder speaker

    def __post_init__(self) -> None:
        num_sentences = min(len(texts.english()), len(texts.mandarin()))
        self._check("english_speakers", 1, len(voices.ENGLISH), "voices in the table")
        self._check("mandarin_speakers", 2, len(voices.MANDARIN), "voices in the table; one is for `test`")
        self._check("codec_training_speakers", 1, len(voices.CODEC_TRAINING), "voices in the table")
        self._check("utterances_per_speaker", 1, num_sentences, "sentences in the shorter list")
        self._check("vocoder_speakers", 3, len(voices.VOCODER), "voices in the table; each partition has one")
        self._check("bonafide_per_vocoder_speaker", 1, len(texts.english()), "English sentences")
        num_attacks = len(copy_synthesis.KNOWN_ATTACKS)
        most_spoofs = (len(texts.english()) - self.bonafide_per_vocoder_speaker) // num_attacks
        self._check("spoofs_per_attack", 1, most_spoofs, "English sentences that are left for each attack")

    def _check(self, name: str, low: int, high: int, bound: str) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise SettingsError(f"DemoSettings.{name} is {value}; it can be {low} to {high} ({bound})")
