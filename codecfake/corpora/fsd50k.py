"""FSD50K (Fonseca et al. 2022): 51,197 sound events of 0.3 to 30 s from Freesound, with train, val and eval sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codecfake.base import json_texts, settings
from codecfake.base.json_texts import JsonError
from codecfake.base.utterances import Utterance
from codecfake.corpora import tables, trial_lists
from codecfake.corpora.listing import CorpusError, Listing, Rejection, listing, require
from codecfake.corpora.sizes import CorpusSize, Part
from codecfake.corpora.sound_clips import LANGUAGE, Clip, label_text, with_audio

GROUND_TRUTH, METADATA = "FSD50K.ground_truth", "FSD50K.metadata"
MARKER = (f"{GROUND_TRUTH}/*.csv",)
COLUMNS = {"dev": ("fname", "labels", "split"), "eval": ("fname", "labels")}  # part -> columns of its table
SPLIT_OF = {"train": "train", "val": "dev"}  # of the part dev
OFFICIAL = (
    f"{GROUND_TRUTH}/dev.csv and eval.csv, {METADATA}/dev_clips_info_FSD50K.json and eval_clips_info_FSD50K.json, "
    f"FSD50K.dev_audio/64760.wav and FSD50K.eval_audio/37199.wav"
)
LICENSE = "CC BY 4.0 as a whole; each clip has its own (CC0, CC BY, CC BY-NC or Sampling+)"
CONTENT = "sound"

SIZE = CorpusSize(
    source="Fonseca et al. 2022: 51,197 clips, 80.4 h of dev (here by clips) and 27.9 h of eval",
    sample_rate=44_100,
    wav=True,
    speech=(
        Part("bonafide", 36_796, hours=72.2, split="train"),
        Part("bonafide", 4_170, hours=8.2, split="dev"),
        Part("bonafide", 10_231, hours=27.9, split="eval"),
    ),
)


@dataclass(frozen=True)
class Fsd50kOptions:
    """`parts`: which to read; dev holds train and val."""

    parts: tuple[Literal["dev", "eval"], ...] = ("dev", "eval")


OPTIONS = Fsd50kOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if a table, the recordings or the uploaders of a wanted part are not there."""
    for part in settings.build(OPTIONS, options).parts:
        for name in (_table(part), _clips_info(part)):
            if not (root / name).is_file():
                raise CorpusError(f"{root / name}: no such file; restore it, or leave out its part (option parts)")
        trial_lists.first_folder(root, [_audio(part)], f"the recordings of part {part}", "parts")


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """One utterance per clip; its speaker is the uploader, its text are the labels. The id is that of Freesound."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    check(root, options)
    sounds: list[Utterance] = []
    rejections: list[Rejection] = []
    for part in choice.parts:
        of_part = with_audio(root, _clips(root, part), _audio(part), _table(part))
        sounds += of_part[0]
        rejections += of_part[1]
    return listing(root, sounds, rejections)


def _table(part: str) -> str:
    return f"{GROUND_TRUTH}/{part}.csv"


def _clips_info(part: str) -> str:
    return f"{METADATA}/{part}_clips_info_FSD50K.json"


def _audio(part: str) -> str:
    return f"FSD50K.{part}_audio"


def _clips(root: Path, part: str) -> Iterator[Clip]:
    # fname,labels,mids,split
    # 64760,"Electric_guitar,Guitar,Plucked_string_instrument,Musical_instrument,Music","/m/02sgy,…",train
    uploaders = _uploaders(root / _clips_info(part))
    for row in tables.rows(root / _table(part), COLUMNS[part]):
        name, split = row.cells["fname"], row.cells.get("split", "")
        if name not in uploaders:
            raise CorpusError(
                f"{row.where}: {_clips_info(part)} has no uploader of {name}, so splits could share one; restore it"
            )
        text = ", ".join(label_text(label) for label in row.cells["labels"].split(","))
        split = "eval" if part == "eval" else trial_lists.meaning(split, SPLIT_OF, row.where)
        speaker = f"freesound-user-{uploaders[name]}"
        path = f"{_audio(part)}/{name}.wav"
        yield Clip(row.where, Utterance(name, speaker, LANGUAGE, path, text=text, split=split))


def _uploaders(path: Path) -> dict[str, str]:
    # {"64760": {"title": "…", "description": "…", "tags": ["…"], "license": "…", "uploader": "somebody"}, …}
    try:
        clips = json_texts.read_object(path, "restore the corpus's own file")
    except JsonError as error:
        raise CorpusError(str(error)) from error
    names = {clip: info.get("uploader") for clip, info in clips.items() if isinstance(info, dict)}
    return {clip: name for clip, name in names.items() if isinstance(name, str) and name.strip()}
