"""One clip of a data set on disk, ours or another's, as a form's reader finds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.publishing.clips import Place
from codecfake.verification.words import is_bonafide

# names of columns, ours first; the others occur in published data sets
NAMES = {
    "clip_id": ("clip_id", "id", "ID", "utt_id", "utterance_id", "file_name", "filename", "file", "path"),
    "key": ("key", "label", "Label", "cm-label"),
    "corpus": ("corpus", "dataset_name"),
    "codec": ("codec", "codec_name"),
    "speaker_id": ("speaker_id", "speaker", "Speaker", "spk"),
    "utterance_id": ("utterance_id",),
    "twin_id": ("twin_id",),
    "sha256": ("sha256",),
}


@dataclass(frozen=True)
class PublishedClip:
    """What a data set says about one clip. None: it does not say."""

    where: str  # for messages: `data/english/F01/train-0000.parquet, row 3`
    clip_id: str
    key: str | None  # bonafide, spoof, or an unknown word as it is written
    places: tuple[Place, ...]
    audio: Callable[[], bytes] = field(repr=False, compare=False)  # the bytes of an audio file, of any container
    corpus: str = ""
    codec: str | None = None
    speaker_id: str | None = None
    utterance_id: str | None = None
    twin_id: str | None = None
    sha256: str | None = None  # of the bytes


def from_columns(
    where: str, values: Mapping[str, Any], places: tuple[Place, ...], audio: Callable[[], bytes]
) -> PublishedClip:
    """A clip from the values of its row, whose columns have the names in `NAMES`."""
    texts = {name: _first(values, columns) for name, columns in NAMES.items()}
    key, clip_id, corpus = texts.pop("key"), texts.pop("clip_id"), texts.pop("corpus")
    return PublishedClip(
        where, clip_id or where, None if key is None else key_of(key), places, audio, corpus or "", **texts
    )


def key_of(label: str) -> str:
    """The key that a label means in published data sets; an unknown label, or a digit, stays as it is."""
    return {True: BONAFIDE, False: SPOOF, None: label}[is_bonafide(label, None)]


def _first(values: Mapping[str, Any], columns: tuple[str, ...]) -> str | None:
    """The value of the first of these columns that has one."""
    return next((str(values[name]) for name in columns if values.get(name) is not None), None)
