"""Vocoder spoofs and bona fide speech in the layout of ASVspoof 2019 LA.

A speaker's spoofs and bona fide utterances have different sentences. The spoofed sentences are drawn separately for
each speaker, and file numbers are shuffled, so that neither reveals the key.
"""

from dataclasses import dataclass

from codecfake.demo import FOLDERS, texts, voices
from codecfake.demo.attacks import KNOWN_ATTACKS, UNKNOWN_ATTACKS, Attack
from codecfake.demo.plan import Plan, Take, draw_sentences
from codecfake.demo.seeds import generator
from codecfake.demo.settings import DemoSettings

ROOT = FOLDERS["asvspoof2019la"]
SAMPLE_RATE = 16000


@dataclass(frozen=True)
class Partition:
    """A partition of the corpus, with its names in the official files."""

    name: str
    letter: str
    first_number: int
    protocol: str
    attacks: tuple[Attack, ...]


PARTITIONS = (
    Partition("train", "T", 1000001, "train.trn", KNOWN_ATTACKS),
    Partition("dev", "D", 2000001, "dev.trl", KNOWN_ATTACKS),
    Partition("eval", "E", 3000001, "eval.trl", UNKNOWN_ATTACKS),
)


def plan(settings: DemoSettings) -> Plan:
    """The corpus in the size of `settings`; no speaker is in two partitions."""
    takes: list[Take] = []
    protocols: dict[str, str] = {}
    speakers = _speakers_of_partitions(voices.VOCODER[: settings.vocoder_speakers])
    for partition, members in zip(PARTITIONS, speakers, strict=True):
        ours = _takes(partition, members, settings)
        protocols[f"{ROOT}/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{partition.protocol}.txt"] = _protocol(ours)
        takes.extend(ours)
    return Plan(tuple(takes), protocols)


def _speakers_of_partitions(speakers: tuple[voices.Voice, ...]) -> tuple[tuple[voices.Voice, ...], ...]:
    """The speakers of train, dev and eval: about two fifths, one fifth and two fifths."""
    num_dev = max(1, len(speakers) // 5)
    num_train = max(1, (len(speakers) - num_dev) // 2)
    return speakers[:num_train], speakers[num_train : num_train + num_dev], speakers[num_train + num_dev :]


def _takes(partition: Partition, members: tuple[voices.Voice, ...], settings: DemoSettings) -> list[Take]:
    roles = [role for voice in members for role in _roles(partition, voice, settings)]
    order = generator(settings.seed, "file numbers", partition.name).permutation(len(roles))
    return [
        _take(partition, partition.first_number + int(number), *role) for number, role in zip(order, roles, strict=True)
    ]


def _roles(
    partition: Partition, voice: voices.Voice, settings: DemoSettings
) -> list[tuple[voices.Voice, str, Attack | None]]:
    """The sentences of a speaker, each with its attack (None: bona fide)."""
    attacks: list[Attack | None] = [None] * settings.bonafide_per_vocoder_speaker
    for attack in partition.attacks:
        attacks += [attack] * settings.spoofs_per_attack
    sentences = draw_sentences(texts.english(settings.sentences), len(attacks), settings.seed, voice.speaker_id)
    return [(voice, sentence, attack) for sentence, attack in zip(sentences, attacks, strict=True)]


def _take(partition: Partition, number: int, voice: voices.Voice, sentence: str, attack: Attack | None) -> Take:
    utterance_id = f"LA_{partition.letter}_{number}"
    path = f"{ROOT}/ASVspoof2019_LA_{partition.name}/flac/{utterance_id}.flac"
    return Take(utterance_id, voice, sentence, path, SAMPLE_RATE, attack)


def _protocol(takes: list[Take]) -> str:
    # LA_0079 LA_T_1138215 - - bonafide
    # LA_0039 LA_E_2834763 - A11 spoof
    lines = [
        f"{take.voice.speaker_id} {take.utterance_id} - {take.attack.name} spoof\n"
        if take.attack
        else f"{take.voice.speaker_id} {take.utterance_id} - - bonafide\n"
        for take in takes
    ]
    return "".join(sorted(lines))
