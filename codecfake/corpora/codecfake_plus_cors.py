"""CodecFake+ CoRS (Chen et al. 2025): VCTK resynthesized through 31 codecs, with the splits of CodecFake."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import SPOOF, Utterance
from codecfake.corpora import trial_lists
from codecfake.corpora.codecfake_wu import SPLIT_OF_SPEAKER, of_codecs
from codecfake.corpora.listing import CorpusError, Listing, audio_files, by_stem, listing, require
from codecfake.corpora.trial_lists import BY_NAME, Trial

LABELS, AUDIO = "CoRS_labels.txt", "CoRS"
MARKER = (LABELS,)
OFFICIAL = f"{LABELS} and {AUDIO}/p225_001.wav, {AUDIO}/p226_002_Encodec_24b24k.wav (in any folders of {AUDIO})"
LICENSE = "MIT"


@dataclass(frozen=True)
class CorsOptions:
    """`codecs`: those whose fakes to read, such as [bigcodec]; None means all that exist."""

    codecs: tuple[str, ...] | None = None


OPTIONS = CorsOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the recordings are not there."""
    trial_lists.first_folder(root, [AUDIO], "the recordings")


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The recordings of VCTK and the fakes of the wanted codecs, whose name is the attack."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    check(root, options)
    audio = by_stem(root, audio_files(root, AUDIO))
    recordings, rejections = trial_lists.with_recordings(_trials(root / LABELS), audio, LABELS)
    return listing(root, of_codecs(root, recordings, choice.codecs), rejections)


def _trials(path: Path) -> Iterator[Trial]:
    # p225 p225_001.wav bonafide
    # p226 p226_002_Encodec_24b24k.wav spoof
    for line in trial_lists.lines(path, "speaker file label"):
        speaker, file, label = line.words
        key = trial_lists.meaning(label, BY_NAME, line.where)
        stem = PurePosixPath(file).stem
        attack = _codec(stem, line.where) if key == SPOOF else "-"
        split = SPLIT_OF_SPEAKER.get(speaker, "train")
        utterance = Utterance(stem, speaker, "en", f"{AUDIO}/{file}", key=key, split=split, attack=attack)
        yield Trial(stem, line.where, utterance)


def _codec(stem: str, where: str) -> str:
    """The name of a codec, which itself may contain underscores."""
    parts = stem.split("_", maxsplit=2)
    if len(parts) < 3:
        raise CorpusError(f"{where}: the name of spoof {stem!r} has no codec after its second underscore; restore it")
    return parts[2]
