"""Codecfake (Xie et al. 2025): VCTK and AISHELL-3 through seven codecs, and fakes of audio language models."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import aishell3, trial_lists, vctk
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, by_stem, listing, require
from codecfake.corpora.trial_lists import Trial

LABELS = "label"
MARKER = (f"{LABELS}/*.txt",)
OFFICIAL = f"{LABELS}/train.txt, dev.txt, C1.txt, … and train/F01_p225_001.wav, dev/…, test/C1/… or C1/…"
FORMS = ("file label source", "file label")  # the lists of A3 have no sources
KEY_OF_LABEL = {"real": BONAFIDE, "fake": SPOOF}
FAKE = re.compile(r"(?P<source>[A-Z]\d+(-\d+)?)_(?P<original>.+)")
SOUNDS = "A3"
PREFIX = "Codecfake-"  # of attacks: a run may have sources of its own with the names of the paper
LICENSE = "CC BY-NC-ND 4.0"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CodecfakeOptions:
    """`lists`: the names of those to read, such as [train, dev] or [C1]; None means every list in `label`.

    train and dev are splits; all other lists are conditions, in the split eval. A corpus of one list has the published
    trials of that condition.
    """

    lists: tuple[str, ...] | None = None


OPTIONS = CodecfakeOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if a wanted list or its recordings are not there."""
    for name in _lists(root, settings.build(OPTIONS, options).lists):
        _folder(root, name)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The recordings of the lists. Conditions have copies of the same real speech, of which the first is listed.

    The attack of a fake has the first part of its name (Codecfake-F01, -C3-1, -L1), or else its condition (-A3).
    """
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    recordings: list[Utterance] = []
    rejections: list[Rejection] = []
    real: set[str] = set()  # in conditions so far
    for name in _lists(root, choice.lists):
        of_list, of_list_rejections = _read(root, name)
        recordings += [one for one in of_list if one.utterance_id not in real]
        real |= {one.utterance_id for one in of_list if one.key == BONAFIDE and one.split == "eval"}
        rejections += of_list_rejections
    return listing(root, recordings, rejections)


def _lists(root: Path, names: tuple[str, ...] | None) -> list[str]:
    present = sorted(path.stem for path in visible((root / LABELS).glob("*.txt")))
    absent = sorted(set(names or ()) - set(present))
    if absent:
        raise CorpusError(f"{root / LABELS}: no list {absent[0]}.txt; choose from {', '.join(present)} (option lists)")
    return present if names is None else sorted(set(names))


def _read(root: Path, name: str) -> tuple[list[Utterance], list[Rejection]]:
    folder = _folder(root, name)
    audio = by_stem(root, audio_files(root, folder))
    recordings, rejections = trial_lists.with_recordings(_trials(root, name, folder), audio, f"{LABELS}/{name}.txt")
    return recordings, [_expected(one) if name == SOUNDS else one for one in rejections]


def _expected(rejection: Rejection) -> Rejection:
    """The recordings of AudioCaps (Y and a YouTube id) are listed, but not in the release, which may not have them."""
    return replace(rejection, expected=PurePosixPath(rejection.path).name.startswith("Y"))


def _folder(root: Path, name: str) -> str:
    return trial_lists.first_folder(root, (name, f"test/{name}"), f"the recordings of {LABELS}/{name}.txt", "lists")


def _trials(root: Path, name: str, folder: str) -> Iterator[Trial]:
    # SSB99990001.wav real 0
    # F01_SSB99990001.wav fake 1
    for line in trial_lists.lines(root / LABELS / f"{name}.txt", *FORMS):
        file, label = line.words[:2]
        stem = PurePosixPath(file).stem
        utterance = _utterance(stem, trial_lists.meaning(label, KEY_OF_LABEL, line.where), name, f"{folder}/{file}")
        yield Trial(stem, line.where, utterance)


def _utterance(stem: str, key: str, of_list: str, path: str) -> Utterance:
    split = of_list if of_list in ("train", "dev") else "eval"
    fake = FAKE.fullmatch(stem) if key == SPOOF else None
    speaker, language = _speaker(fake["original"] if fake else stem)
    attack = "-" if key == BONAFIDE else PREFIX + (fake["source"] if fake else of_list)
    return Utterance(stem, speaker, language, path, key=key, split=split, attack=attack)


def _speaker(original: str) -> tuple[str, str]:
    """Speaker and language of a recording of VCTK or AISHELL-3; sounds have no speaker, and English captions."""
    for pattern, language in ((vctk.NAME, "en"), (aishell3.NAME, "zh")):
        name = pattern.fullmatch(original)
        if name:
            return name["speaker_id"], language
    return "-", "en"
