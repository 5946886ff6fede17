"""An English corpus for codec training, in the layout of LibriTTS."""

from codecfake.demo import FOLDERS, texts, voices
from codecfake.demo.plan import Plan, Take, draw_sentences
from codecfake.demo.settings import DemoSettings

ROOT = FOLDERS["libritts"]
PART = "train-clean-100"
SAMPLE_RATE = 24000
CHAPTER = "1"


def plan(settings: DemoSettings) -> Plan:
    """The corpus in the size of `settings`: one chapter per speaker, one paragraph per utterance."""
    speakers = voices.CODEC_TRAINING[: settings.codec_training_speakers]
    takes = tuple(take for voice in speakers for take in _takes(voice, settings))
    transcripts = {take.path.removesuffix(".wav") + ".normalized.txt": take.sentence + "\n" for take in takes}
    return Plan(takes, transcripts)


def _takes(voice: voices.Voice, settings: DemoSettings) -> list[Take]:
    candidates = texts.english(settings.sentences)
    sentences = draw_sentences(candidates, settings.utterances_per_speaker, settings.seed, voice.speaker_id)
    return [
        _take(voice, f"{voice.speaker_id}_{CHAPTER}_{number:06d}_000000", sentence)
        for number, sentence in enumerate(sentences, start=1)
    ]


def _take(voice: voices.Voice, utterance_id: str, sentence: str) -> Take:
    path = f"{ROOT}/{PART}/{voice.speaker_id}/{CHAPTER}/{utterance_id}.wav"
    return Take(utterance_id, voice, sentence, path, SAMPLE_RATE)
