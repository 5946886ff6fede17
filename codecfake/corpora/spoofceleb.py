"""SpoofCeleb: VoxCeleb1 and text-to-speech trained on it, with splits; noise of the real world in both keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from codecfake.base import settings
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import tables, trial_lists
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, listing, require
from codecfake.corpora.trial_lists import Trial

FOLDER = "spoofceleb"
PARTS = {"train": "train", "dev": "development", "eval": "evaluation"}
MARKER = (f"{FOLDER}/metadata/*.csv", "metadata/*.csv")
COLUMNS = ("file", "speaker", "attack")
OFFICIAL = (
    f"{FOLDER}/metadata/train.csv, development.csv, evaluation.csv (columns {', '.join(COLUMNS)}) and "
    f"{FOLDER}/flac/train/a00/id10001/….flac"
)
AS_RECORDED = "a00"
LICENSE = "see its release"


@dataclass(frozen=True)
class SpoofCelebOptions:
    """`splits`: which of the corpus's three splits to read."""

    splits: tuple[Literal["train", "dev", "eval"], ...] = ("train", "dev", "eval")


OPTIONS = SpoofCelebOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the table or the recordings of a wanted split are not there."""
    for split in settings.build(OPTIONS, options).splits:
        table, folder = _places(root, split)
        if not (root / table).is_file():
            raise CorpusError(f"{root / table}: no such table; restore it, or leave out its split (option splits)")
        trial_lists.first_folder(root, [folder], f"the recordings of split {split}", "splits")


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All rows of the wanted splits; attack a00 is bona fide. An id is the path, with underscores for slashes."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    check(root, options)
    recordings: list[Utterance] = []
    rejections: list[Rejection] = []
    for split in choice.splits:
        table, folder = _places(root, split)
        audio = trial_lists.by_path(root, audio_files(root, folder), folder)
        of_split = trial_lists.with_recordings(_trials(root / table, split, folder), audio, table)
        recordings += of_split[0]
        rejections += of_split[1]
    return listing(root, recordings, rejections)


def _places(root: Path, split: str) -> tuple[str, str]:
    """The table of a split and the folder of its recordings, relative to the root."""
    base = f"{FOLDER}/" if (root / FOLDER / "metadata").is_dir() else ""
    return f"{base}metadata/{PARTS[split]}.csv", f"{base}flac/{PARTS[split]}"


def _trials(table: Path, split: str, folder: str) -> Iterator[Trial]:
    # file,speaker,attack
    # a00/id19318/AbCdEfGhIjK-00002-006.flac,id19318,a00
    for row in tables.rows(table, COLUMNS):
        path, attack = PurePosixPath(row.cells["file"]), row.cells["attack"]
        if path.parts[:1] != (attack,):
            raise CorpusError(f"{row.where}: file {path} is not in the folder of attack {attack!r}; restore the table")
        key = BONAFIDE if attack == AS_RECORDED else SPOOF
        name = path.with_suffix("").as_posix()
        utterance = Utterance(
            name.replace("/", "_"), row.cells["speaker"], "en", f"{folder}/{path}",
            key=key, split=split, attack=attack if key == SPOOF else "-",
        )  # fmt: skip
        yield Trial(name, row.where, utterance)
