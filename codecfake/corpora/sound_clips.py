"""Clips of sound events: those that a table lists and a folder has, and what one of the two lacks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from codecfake.base.utterances import Utterance
from codecfake.corpora.listing import CorpusError, Rejection, audio_files, by_stem

LANGUAGE = "en"  # of labels, which are the texts of sounds


@dataclass(frozen=True)
class Clip:
    """A row of a table, and its place (`file:line`) for messages; `utterance.path` is where its audio should be."""

    where: str
    utterance: Utterance


def label_text(label: str) -> str:
    """A label such as `church_bells` or `Electric_guitar` in words."""
    return label.replace("_", " ")


def with_audio(
    root: Path, clips: Iterable[Clip], folder: str, of_table: str
) -> tuple[list[Utterance], list[Rejection]]:
    """The clips whose audio is in a folder, and rejections: listed but absent, or present but not listed.

    Raises CorpusError for a clip that the table lists twice.
    """
    audio = by_stem(root, audio_files(root, folder))
    where_of: dict[str, str] = {}
    utterances, rejections = [], []
    for clip in clips:
        name = clip.utterance.utterance_id
        if name in where_of:
            raise CorpusError(
                f"{clip.where}: {name} is listed twice, first at {where_of[name]}; remove one of the rows"
            )
        where_of[name] = clip.where
        if name in audio:
            utterances.append(replace(clip.utterance, path=audio[name]))
        else:
            rejections.append(Rejection(clip.utterance.path, f"listed in {of_table} but the file is absent"))
    absent = f"not listed in {of_table}, so its source is not known"
    return utterances, rejections + [Rejection(path, absent) for name, path in audio.items() if name not in where_of]
