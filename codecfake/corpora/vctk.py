"""VCTK, releases 0.92 (two microphones, FLAC, or WAV if converted) and 0.80 (one, WAV)."""

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import Utterance
from codecfake.corpora.listing import (
    CorpusError,
    Listing,
    Rejection,
    audio_files,
    listing,
    require,
)
from codecfake.corpora.sizes import CorpusSize, Part
from codecfake.corpora.tables import transcript

RELEASE_092, RELEASE_080 = "wav48_silence_trimmed", "wav48"
MARKER = (RELEASE_092, RELEASE_080)
OFFICIAL = (
    f"{RELEASE_092}/p225/p225_001_mic1.flac (release 0.92) or {RELEASE_080}/p225/p225_001.wav (release 0.80), "
    f"transcripts in txt/p225/p225_001.txt"
)
NAME = re.compile(r"(?P<utterance_id>(?P<speaker_id>[ps]\d+)_\d+)(_(?P<microphone>mic\d+))?")
UNTAGGED = ""
LICENSE = "CC BY 4.0 (0.92), ODC-By 1.0 (0.80)"
Takes = dict[str, dict[str, str]]  # utterance_id -> microphone -> path
RELEASES = {  # by whether names have a microphone
    True: "release 0.92 (two microphones, 110 speakers)",
    False: "release 0.80 (no microphone in the names, 109 speakers)",
}
PUBLISHED = {"Xie et al. 2025": 44_242, "Wu et al. 2024": 44_242}  # utterances; both have those of release 0.80
NO_MIC2 = ("p280", "p315")  # the README of release 0.92: technical issues with their second microphone

logger = logging.getLogger(__name__)

SIZE = CorpusSize(
    source="44,242 utterances of 109 speakers, as Xie et al. 2025 and Wu et al. 2024 count; hours of release 0.80",
    sample_rate=48_000,
    wav=False,
    speech=(Part("bonafide", 44_242, hours=44.0, speakers=109),),
)


@dataclass(frozen=True)
class VctkOptions:
    """`microphones`, in order of preference: the first existing recording of an utterance is used.

    Release 0.80 has one recording per utterance without a microphone in its name, which is always used. Release 0.92,
    converted to WAV, is often in the folder of release 0.80; therefore names decide, not folders.
    """

    microphones: tuple[str, ...] = ("mic1", "mic2")


OPTIONS = VctkOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All utterances of the release in `root`, including those without a transcript (all of p315).

    Its release is logged, beside the counts of the papers.
    """
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    folder = _release(root)
    takes, rejections = _takes(root, folder)
    preference = _preference(root, folder, takes, choice.microphones)
    recordings = []
    for utterance_id, paths in takes.items():
        path = next((paths[microphone] for microphone in preference if microphone in paths), None)
        if path is None:
            rejections.append(_unwanted(utterance_id, paths, preference))
        else:
            recordings.append(_utterance(root, utterance_id, path))
    _log_release(root, preference != (UNTAGGED,), recordings)
    return listing(root, recordings, rejections)


def _log_release(root: Path, has_microphones: bool, recordings: Sequence[Utterance]) -> None:
    speakers = {recording.speaker_id for recording in recordings}
    counts = ", ".join(f"{number:,} ({paper})" for paper, number in PUBLISHED.items())
    logger.info(
        "%s: named as in VCTK %s: %s utterances of %d speakers; the papers count, of release 0.80: %s",
        root, RELEASES[has_microphones], f"{len(recordings):,}", len(speakers), counts,
    )  # fmt: skip


def _preference(root: Path, folder: str, takes: Takes, microphones: tuple[str, ...]) -> tuple[str, ...]:
    """The microphones as in names. Raises CorpusError if the folder of release 0.80 has names of both releases."""
    untagged = [paths[UNTAGGED] for paths in takes.values() if UNTAGGED in paths]
    tagged = [path for paths in takes.values() for microphone, path in paths.items() if microphone != UNTAGGED]
    if folder == RELEASE_080 and untagged and tagged:
        raise CorpusError(
            f"{root}: two releases in one folder ({min(untagged)} and {min(tagged)}); move one to another folder"
        )
    return microphones if tagged else (UNTAGGED,)


def _unwanted(utterance_id: str, paths: Mapping[str, str], preference: tuple[str, ...]) -> Rejection:
    """The rejection of an utterance without any preferred recording."""
    speaker_id = utterance_id.split("_")[0]
    names, there = " or ".join(preference) or "untagged", ", ".join(filter(None, paths)) or "untagged"
    if preference == ("mic2",) and speaker_id in NO_MIC2:
        reason = f"no mic2 recording of {utterance_id}, as of all of {speaker_id} (VCTK's README)"
        return Rejection(min(paths.values()), reason, expected=True)
    return Rejection(min(paths.values()), f"no {names} recording of {utterance_id} (only {there})")


def _release(root: Path) -> str:
    present = [folder for folder in MARKER if (root / folder).is_dir()]
    if len(present) > 1:
        raise CorpusError(f"{root}: two releases in one folder ({' and '.join(present)}); move one to another folder")
    return present[0]


def _takes(root: Path, folder: str) -> tuple[Takes, list[Rejection]]:
    """utterance_id -> microphone -> path, and a rejection for each file that VCTK does not name that way."""
    takes: Takes = defaultdict(dict)
    rejections = []
    for path in audio_files(root, folder):
        if path.lower().endswith(".raw"):  # release 0.80 has one, p376_295.raw
            rejections.append(Rejection(path, "samples without a header, not a WAV file", expected=True))
            continue
        name = NAME.fullmatch(PurePosixPath(path).stem)
        if name is None:
            rejections.append(Rejection(path, "not named as VCTK names its recordings (p225_001, p225_001_mic1)"))
            continue
        utterance_id, microphone = name["utterance_id"], name["microphone"] or UNTAGGED
        if microphone in takes[utterance_id]:
            raise CorpusError(
                f"{root}: {path} has the same name as {takes[utterance_id][microphone]}; remove one of the two"
            )
        takes[utterance_id][microphone] = path
    return takes, rejections


def _utterance(root: Path, utterance_id: str, path: str) -> Utterance:
    speaker_id = utterance_id.split("_")[0]
    # txt/p225/p225_001.txt: Please call Stella.
    # txt/p225/p225_002.txt: Ask her to bring these things with her from the store.
    text = transcript(root / "txt" / speaker_id / f"{utterance_id}.txt")
    return Utterance(utterance_id, speaker_id, "en", path, text)
