"""The demo's voices and sentences."""

import numpy as np
import pytest

from codecfake.audio import waveforms
from codecfake.demo import espeak, texts, voices
from codecfake.demo.attacks import pitch
from codecfake.demo.espeak import speak

ALL_VOICES = (*voices.ENGLISH, *voices.MANDARIN, *voices.CODEC_TRAINING, *voices.VOCODER)


@pytest.fixture(scope="module")
def speech_of_voices() -> dict[str, np.ndarray]:
    """One sentence a language, by every speaker."""
    return {
        voice.speaker_id: speak(
            "今天下雨我们在家看书" if voice in voices.MANDARIN else "The boats come back with the evening rain.",
            voice.manner,
        )
        for voice in ALL_VOICES
    }


@pytest.mark.long
def test_every_voice_exists_and_speaks_in_its_own_way(speech_of_voices):
    assert len({samples.tobytes() for samples in speech_of_voices.values()}) == len(ALL_VOICES)


@pytest.mark.long
def test_no_voice_whispers_creaks_or_drones(speech_of_voices):
    """By DIO: most of a sentence is voiced, F0 is that of adults and moves, and women and men differ in the middle."""
    for voice in ALL_VOICES:
        wav = waveforms.resample(speech_of_voices[voice.speaker_id] / 32768, espeak.SAMPLE_RATE, 16000)
        f0 = pitch.f0(wav, 16000, 160)
        low, middle, high = np.percentile(f0[f0 > 0], [5, 50, 95])
        assert np.mean(f0 > 0) > 0.4, voice
        assert pitch.LOWEST_F0 < low < high < 350, voice
        assert high > 1.08 * low, voice
        assert (middle > 140) == (voice.gender == "F"), voice


@pytest.mark.long
def test_no_voice_clips_inside_espeak(speech_of_voices):
    peaks = {speaker_id: np.abs(samples.astype(int)).max() for speaker_id, samples in speech_of_voices.items()}
    assert max(peaks.values()) < 32767, peaks


def test_speaker_ids_are_unique_and_there_are_enough_voices():
    ids = [voice.speaker_id for voice in ALL_VOICES]
    assert len(set(ids)) == len(ids)
    sizes = [len(table) for table in (voices.ENGLISH, voices.MANDARIN, voices.CODEC_TRAINING, voices.VOCODER)]
    assert sizes == [40, 40, 8, 20]


def test_no_two_speakers_of_a_language_share_a_voice():
    manners = [voice.manner.voice for voice in ALL_VOICES]
    assert len(set(manners)) == len(manners)


WORDS, CHARACTERS = {"long": (5, 11), "short": (4, 5)}, {"long": (8, 12), "short": (5, 6)}


@pytest.mark.parametrize("length", texts.LENGTHS)
def test_english_sentences_are_unique_plain_and_of_a_breath(length):
    assert len(set(texts.english(length))) == len(texts.english(length)) >= 40
    for sentence in texts.english(length):
        assert sentence[0].isupper() and sentence.endswith("."), sentence
        assert set(sentence.lower()) <= set("abcdefghijklmnopqrstuvwxyz ,'."), sentence
        assert WORDS[length][0] <= len(sentence.split()) <= WORDS[length][1], sentence


@pytest.mark.parametrize("length", texts.LENGTHS)
def test_mandarin_sentences_are_unique_hanzi_with_a_syllable_each(length):
    assert len({sentence.hanzi for sentence in texts.mandarin(length)}) == len(texts.mandarin(length)) >= 40
    for sentence in texts.mandarin(length):
        assert all("\u4e00" <= character <= "\u9fff" for character in sentence.hanzi), sentence
        fewest, most = CHARACTERS[length]
        assert fewest <= len(sentence.hanzi) == len(sentence.pinyin) <= most, sentence
        assert all(syllable[:-1].isalpha() and syllable[-1] in "12345" for syllable in sentence.pinyin), sentence


@pytest.mark.parametrize("table", [voices.ENGLISH, voices.MANDARIN, voices.CODEC_TRAINING, voices.VOCODER])
def test_women_and_men_take_turns_so_that_every_part_of_a_corpus_has_both(table):
    genders = [voice.gender for voice in table]
    assert all({"F", "M"} == set(genders[start : start + 3]) for start in range(len(genders) - 2))
