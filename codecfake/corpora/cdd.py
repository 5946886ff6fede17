"""CDD (CodecDeepfakeDetection): ASVspoof 5 through codecs, its recordings, and zero-shot synthesis, with splits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from codecfake.base import settings
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE, NO_CODING, SPOOF, Utterance
from codecfake.corpora import asvspoof5, trial_lists
from codecfake.corpora.listing import UNKNOWN_ATTACK, CorpusError, Listing, audio_files, listing, require

RECORDED = "asvspoof5"
RECORDED_FOLDERS = {"train": ("flac_T",), "dev": ("flac_D",), "eval": ("flac_E", "flac_E_eval")}
CODED_FOLDERS = {"train": "CoRS_train", "dev": "CoRS_dev", "eval": "CoRS_test"}
SYNTHESIZED = "CoSG"  # evaluation only
MARKER = ("CoRS_*/*", f"{RECORDED}/flac_*", SYNTHESIZED)
OFFICIAL = (
    f"{RECORDED}/flac_T, flac_D and flac_E, CoRS_train, CoRS_dev and CoRS_test (a folder for each codec), {SYNTHESIZED}"
)
LICENSE = "see its release"


@dataclass(frozen=True)
class CddOptions:
    """`coded`: the key of speech that went through a codec.

    Spoofs have the codec as their attack. As bona fide speech they have it as their coding, and only the synthesized
    speech is spoofed. `splits`: which of the corpus's three splits to read. Speakers are known where the protocols of
    ASVspoof 5 are in the root, too.
    """

    coded: Literal["spoof", "bonafide"] = "spoof"
    splits: tuple[Literal["train", "dev", "eval"], ...] = ("train", "dev", "eval")


OPTIONS = CddOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the recordings of a wanted split are not there."""
    for split in settings.build(OPTIONS, options).splits:
        _recorded(root, split)
        _folders(root, CODED_FOLDERS[split])


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All recordings of the wanted splits; the id of a coded one begins with its codec."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    speakers = asvspoof5.speakers(root)
    recordings = [one for split in choice.splits for one in _of_split(root, split, choice.coded, speakers)]
    return listing(root, recordings, ())


def _of_split(root: Path, split: str, coded: str, speakers: Mapping[str, str]) -> Iterator[Utterance]:
    # asvspoof5/flac_T/T_0000900002.flac
    # CoRS_train/Mimi/T_0000900002.flac
    for path in audio_files(root, _recorded(root, split)):
        stem = PurePosixPath(path).stem
        yield Utterance(stem, speakers.get(stem, "-"), "en", path, key=BONAFIDE, split=split)
    for codec in _folders(root, CODED_FOLDERS[split]):
        for path in audio_files(root, f"{CODED_FOLDERS[split]}/{codec}"):
            yield _coded(path, codec, split, coded, speakers)
    if split == "eval":
        yield from map(_synthesized, audio_files(root, SYNTHESIZED))


def _recorded(root: Path, split: str) -> str:
    names = [f"{RECORDED}/{name}" for name in RECORDED_FOLDERS[split]]
    return trial_lists.first_folder(root, names, f"the recordings of split {split}", "splits")


def _folders(root: Path, folder: str) -> list[str]:
    trial_lists.first_folder(root, [folder], "coded recordings", "splits")
    names = sorted(path.name for path in visible((root / folder).iterdir()) if path.is_dir())
    if not names:
        raise CorpusError(f"{root / folder}: has no folder of a codec, such as Mimi; unpack the recordings there")
    return names


def _coded(path: str, codec: str, split: str, key: str, speakers: Mapping[str, str]) -> Utterance:
    stem = PurePosixPath(path).stem
    is_spoof = key == SPOOF
    return Utterance(
        f"{codec}_{stem}", speakers.get(stem, "-"), "en", path,
        key=key, split=split, attack=codec if is_spoof else "-", coding=NO_CODING if is_spoof else codec,
    )  # fmt: skip


def _synthesized(path: str) -> Utterance:
    """The attack is the folder below CoSG, if there is one; the id is the path, with underscores for slashes."""
    name = PurePosixPath(path).with_suffix("")
    attack = name.parts[1] if len(name.parts) > 2 else UNKNOWN_ATTACK
    return Utterance("_".join(name.parts), "-", "en", path, key=SPOOF, split="eval", attack=attack)
