"""A Mandarin corpus in the layout of AISHELL-3."""

from codecfake.demo import FOLDERS, texts, voices
from codecfake.demo.plan import Plan, Take, draw_sentences
from codecfake.demo.settings import DemoSettings

ROOT = FOLDERS["aishell3"]
SAMPLE_RATE = 44100
GENDERS = {"F": "female", "M": "male"}
SPEAKERS_PER_TEST_SPEAKER = 6


def plan(settings: DemoSettings) -> Plan:
    """The corpus in the size of `settings`; the last sixth of its speakers (at least one) is in `test`."""
    speakers = voices.MANDARIN[: settings.mandarin_speakers]
    num_test = max(1, len(speakers) // SPEAKERS_PER_TEST_SPEAKER)
    parts = {"train": speakers[:-num_test], "test": speakers[-num_test:]}
    takes: list[Take] = []
    files = {f"{ROOT}/spk-info.txt": _speaker_info(speakers)}
    for part, members in parts.items():
        content = ""
        for voice in members:
            for number, sentence in enumerate(_sentences(voice, settings), start=1):
                takes.append(_take(part, voice, number, sentence))
                content += _content_line(takes[-1], sentence)
        files[f"{ROOT}/{part}/content.txt"] = content
    return Plan(tuple(takes), files)


def _sentences(voice: voices.Voice, settings: DemoSettings) -> list[texts.MandarinSentence]:
    candidates = texts.mandarin(settings.sentences)
    return draw_sentences(candidates, settings.utterances_per_speaker, settings.seed, voice.speaker_id)


def _take(part: str, voice: voices.Voice, number: int, sentence: texts.MandarinSentence) -> Take:
    utterance_id = f"{voice.speaker_id}{number:04d}"
    path = f"{ROOT}/{part}/wav/{voice.speaker_id}/{utterance_id}.wav"
    return Take(utterance_id, voice, sentence.hanzi, path, SAMPLE_RATE)


def _content_line(take: Take, sentence: texts.MandarinSentence) -> str:
    # SSB01390001.wav<TAB>我 wo3 知 zi1 道 dao4 你 ni3 不 bu4 习 qi2 惯 guan4
    pairs = (f"{hanzi} {syllable}" for hanzi, syllable in zip(sentence.hanzi, sentence.pinyin, strict=True))
    return f"{take.utterance_id}.wav\t{' '.join(pairs)}\n"


def _speaker_info(speakers: tuple[voices.Voice, ...]) -> str:
    # SSB1837<TAB>B<TAB>female<TAB>north
    rows = [f"{voice.speaker_id}\t-\t{GENDERS[voice.gender]}\t-\n" for voice in speakers]
    return "".join(["# voice-file name; age group; gender; accent\n", *rows])
