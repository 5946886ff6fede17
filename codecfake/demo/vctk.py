"""An English corpus in the layout of VCTK 0.92, microphone 1."""

from codecfake.demo import FOLDERS, texts, voices
from codecfake.demo.plan import Plan, Take, draw_sentences
from codecfake.demo.settings import DemoSettings

ROOT = FOLDERS["vctk"]
SAMPLE_RATE = 48000


def plan(settings: DemoSettings) -> Plan:
    """The corpus in the size of `settings`."""
    speakers = voices.ENGLISH[: settings.english_speakers]
    takes = tuple(take for voice in speakers for take in _takes(voice, settings))
    transcripts = {
        f"{ROOT}/txt/{take.voice.speaker_id}/{take.utterance_id}.txt": take.sentence + "\n" for take in takes
    }
    return Plan(takes, {f"{ROOT}/speaker-info.txt": _speaker_info(speakers), **transcripts})


def _takes(voice: voices.Voice, settings: DemoSettings) -> list[Take]:
    candidates = texts.english(settings.sentences)
    sentences = draw_sentences(candidates, settings.utterances_per_speaker, settings.seed, voice.speaker_id)
    return [
        _take(voice, f"{voice.speaker_id}_{number:03d}", sentence) for number, sentence in enumerate(sentences, start=1)
    ]


def _take(voice: voices.Voice, utterance_id: str, sentence: str) -> Take:
    path = f"{ROOT}/wav48_silence_trimmed/{voice.speaker_id}/{utterance_id}_mic1.flac"
    return Take(utterance_id, voice, sentence, path, SAMPLE_RATE)


def _transcript_path(take: Take) -> str:
    return f"{ROOT}/txt/{take.voice.speaker_id}/{take.utterance_id}.txt"


def _speaker_info(speakers: tuple[voices.Voice, ...]) -> str:
    # ID  AGE  GENDER  ACCENTS  REGION COMMENTS
    # p225  23  F    English    Southern  England
    rows = [
        f"{voice.speaker_id}  -  {voice.gender}    English    {voice.accent}  (eSpeak NG voice {voice.manner.voice})\n"
        for voice in speakers
    ]
    return "".join(["ID  AGE  GENDER  ACCENTS  REGION COMMENTS\n", *rows])
