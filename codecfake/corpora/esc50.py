"""ESC-50 (Piczak 2015): 2,000 sound events of 5 s from Freesound, in 50 classes and 5 folds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from codecfake.base import settings
from codecfake.base.settings import Range, SettingsError
from codecfake.base.text_tables import Row
from codecfake.base.utterances import Utterance
from codecfake.corpora import tables
from codecfake.corpora.listing import CorpusError, Listing, listing, require
from codecfake.corpora.sizes import CorpusSize, Part
from codecfake.corpora.sound_clips import LANGUAGE, Clip, label_text, with_audio

TABLE, AUDIO = "meta/esc50.csv", "audio"
MARKER = (TABLE,)
COLUMNS = ("filename", "fold", "category", "src_file")
OFFICIAL = f"{TABLE} (columns {', '.join(COLUMNS)}, …) and {AUDIO}/1-100032-A-0.wav"
LICENSE = "CC BY-NC 3.0"
CONTENT = "sound"
FOLDS = ("1", "2", "3", "4", "5")
Fold = Annotated[int, Range(least=1, most=len(FOLDS))]

SIZE = CorpusSize(
    source="Piczak 2015: 2,000 clips of 5 s, 400 a fold",
    sample_rate=44_100,
    wav=True,
    speech=tuple(
        Part("bonafide", clips, hours=clips * 5 / 3600, speakers=clips, split=split)
        for split, clips in (("train", 1200), ("dev", 400), ("eval", 400))
    ),
)


@dataclass(frozen=True)
class Esc50Options:
    """The folds that are `dev` and `eval`; the other three are train."""

    dev: Fold = 4
    eval: Fold = 5

    def __post_init__(self) -> None:
        if self.dev == self.eval:
            raise SettingsError(f"dev and eval are both fold {self.dev}; choose two folds")


OPTIONS = Esc50Options


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """One utterance per clip; its speaker is the Freesound recording that it was cut from, its text is the class.

    Raises CorpusError if clips of one recording are in two folds.
    """
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    split_of = {str(choice.dev): "dev", str(choice.eval): "eval"}
    return listing(root, *with_audio(root, _clips(root / TABLE, split_of), AUDIO, TABLE))


def _clips(table: Path, split_of: Mapping[str, str]) -> Iterator[Clip]:
    # filename,fold,target,category,esc10,src_file,take
    # 1-100032-A-0.wav,1,0,dog,True,100032,A
    fold_of: dict[str, str] = {}
    for row in tables.rows(table, COLUMNS):
        name, fold, source = (row.cells[column] for column in ("filename", "fold", "src_file"))
        _check_fold(row, fold_of.setdefault(source, fold))
        utterance = Utterance(
            PurePosixPath(name).stem, f"freesound-{source}", LANGUAGE, f"{AUDIO}/{name}",
            text=label_text(row.cells["category"]), split=split_of.get(fold, "train"),
        )  # fmt: skip
        yield Clip(row.where, utterance)


def _check_fold(row: Row, first: str) -> None:
    """Raise CorpusError for a fold that does not exist, or another one than that of the same recording."""
    fold, source = row.cells["fold"], row.cells["src_file"]
    if fold not in FOLDS:
        raise CorpusError(f"{row.where}: fold {fold!r} is none of {', '.join(FOLDS)}; restore the corpus's own table")
    if fold != first:
        raise CorpusError(
            f"{row.where}: recording {source} has clips in folds {first} and {fold}, so that it would be in two "
            f"splits; restore the corpus's own table"
        )
