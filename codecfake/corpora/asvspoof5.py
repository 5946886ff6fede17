"""ASVspoof 5, track 1: crowdsourced English speech and spoofs by 32 attacks, with splits; eval is coded in part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codecfake.base import settings
from codecfake.base.utterances import SPOOF, Utterance
from codecfake.corpora import trial_lists
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, by_stem, listing, require
from codecfake.corpora.trial_lists import BY_NAME, Trial

# .tsv is only their name: words are separated by one blank, and there is no header.
PROTOCOL_OF = {
    "train": "ASVspoof5.train.tsv", "dev": "ASVspoof5.dev.track_1.tsv", "eval": "ASVspoof5.eval.track_1.tsv"
}  # fmt: skip
PROTOCOL_FOLDERS = (".", "ASVspoof5_protocols")
AUDIO_FOLDERS = {
    "train": ("flac_T", "ASVspoof5_train/flac_T"),
    "dev": ("flac_D", "ASVspoof5_dev/flac_D"),
    "eval": ("flac_E_eval", "ASVspoof5_eval/flac_E_eval"),
}
MARKER = tuple(Path(folder, "ASVspoof5.*.tsv").as_posix() for folder in PROTOCOL_FOLDERS)
OFFICIAL = f"{', '.join(PROTOCOL_OF.values())} (of ASVspoof5_protocols.tar) and flac_T, flac_D, flac_E_eval"
PREFIX = "ASVspoof5-"  # of attacks: A01 to A19 are others in ASVspoof 2019 and 2021
FORM = "speaker file gender codec quality source tag attack key -"
LICENSE = "ODC-By 1.0"


@dataclass(frozen=True)
class Asvspoof5Options:
    """`splits`: which of the corpus's three splits to read."""

    splits: tuple[Literal["train", "dev", "eval"], ...] = ("train", "dev", "eval")


OPTIONS = Asvspoof5Options


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the protocol or the recordings of a wanted split are not there."""
    for split in settings.build(OPTIONS, options).splits:
        _protocol(root, split)
        _folder(root, split)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The trials of track 1 of the wanted splits; the attack is ASVspoof5-A01 to -A32, the coding C01 to C11 or `-`."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    recordings: list[Utterance] = []
    rejections: list[Rejection] = []
    for split in choice.splits:
        protocol, folder = _protocol(root, split), _folder(root, split)
        audio = by_stem(root, audio_files(root, folder))
        of_split = trial_lists.with_recordings(_trials(protocol, folder, split), audio, protocol.name)
        recordings += of_split[0]
        rejections += of_split[1]
    return listing(root, recordings, rejections)


def speakers(root: Path) -> dict[str, str]:
    """File (without .flac) -> speaker, of the protocols that there are."""
    paths = (root / folder / name for folder in PROTOCOL_FOLDERS for name in PROTOCOL_OF.values())
    return {line.words[1]: line.words[0] for path in paths if path.is_file() for line in trial_lists.lines(path, FORM)}


def _protocol(root: Path, split: str) -> Path:
    paths = [root / folder / PROTOCOL_OF[split] for folder in PROTOCOL_FOLDERS]
    present = next((path for path in paths if path.is_file()), None)
    if present is None:
        raise CorpusError(f"{paths[0]}: no such protocol; restore it, or leave out its split (option splits)")
    return present


def _folder(root: Path, split: str) -> str:
    return trial_lists.first_folder(root, AUDIO_FOLDERS[split], f"the recordings of split {split}", "splits")


def _trials(protocol: Path, folder: str, split: str) -> Iterator[Trial]:
    # T_9001 T_0000900001 F - - - AC3 A05 spoof -
    # E_9001 E_0000900001 M C05 2 E_0000800001 AC1 A26 spoof -
    # E_9001 E_0000900002 M - 0 - - bonafide bonafide -
    for line in trial_lists.lines(protocol, FORM):
        speaker, name, _, codec, _, _, _, attack, label, _ = line.words
        key = trial_lists.meaning(label, BY_NAME, line.where)
        utterance = Utterance(
            name, speaker, "en", f"{folder}/{name}.flac",
            key=key, split=split, attack=f"{PREFIX}{attack}" if key == SPOOF else "-", coding=codec,
        )  # fmt: skip
        yield Trial(name, line.where, utterance)
