"""CodecFake (Wu et al. 2024): VCTK through fifteen codecs, named `codec+recording`, in one folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import vctk
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, listing, require

MARKER = ("*+[ps]*_*.*", "*/*+[ps]*_*.*")
OFFICIAL = "encodec_24khz+p225_001.wav (codec and name in VCTK), and p225_001.wav or genuine+p225_001.wav"
GENUINE = "genuine"
# of 107 speakers; the rest is in train (Wu et al. 2024, and CodecFake+)
SPLIT_OF_SPEAKER = {"p226": "dev", "p229": "dev", "p227": "eval", "p228": "eval"}
LICENSE = "see its release"


@dataclass(frozen=True)
class CodecfakeWuOptions:
    """`codecs`: those whose fakes to read, such as [encodec_24khz]; None means all that exist."""

    codecs: tuple[str, ...] | None = None


OPTIONS = CodecfakeWuOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The recordings of VCTK, if they are there, and the fakes of the wanted codecs, whose name is the attack."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    recordings, rejections = [], []
    for path in audio_files(root):
        utterance = _utterance(path)
        if utterance is None:
            rejections.append(Rejection(path, "not named as CodecFake names its recordings (encodec_24khz+p225_001)"))
        else:
            recordings.append(utterance)
    return listing(root, of_codecs(root, recordings, choice.codecs), rejections)


def of_codecs(root: Path, recordings: list[Utterance], codecs: tuple[str, ...] | None) -> list[Utterance]:
    """The bona fide recordings, and the spoofs of these codecs. Raises CorpusError for a codec without any."""
    if codecs is None:
        return recordings
    present = sorted({one.attack for one in recordings if one.key == SPOOF})
    absent = sorted(set(codecs) - set(present))
    if absent:
        raise CorpusError(
            f"{root}: no recording of codec {absent[0]!r} (option codecs); choose from {', '.join(present)}"
        )
    return [one for one in recordings if one.key == BONAFIDE or one.attack in codecs]


def _utterance(path: str) -> Utterance | None:
    # encodec_24khz+p272_103.wav
    codec, _, original = PurePosixPath(path).stem.rpartition("+")
    name = vctk.NAME.fullmatch(original)
    if name is None:
        return None
    speaker = name["speaker_id"]
    key = BONAFIDE if codec in ("", GENUINE) else SPOOF
    return Utterance(
        PurePosixPath(path).stem, speaker, "en", path,
        key=key, split=SPLIT_OF_SPEAKER.get(speaker, "train"), attack=codec if key == SPOOF else "-",
    )  # fmt: skip
