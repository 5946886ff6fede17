"""The record of one published clip: what every form says about it, and its audio, which is read only when asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from codecfake.base.exported_names import exported_name

SUFFIX = ".flac"
HOME_ORDER = ("eval", "dev", "train")  # the split of a clip that is in several: what is evaluated is never trained on


class PublishingError(ValueError):
    """A run, or a part of it, cannot be published."""


class Place(NamedTuple):
    """Where a protocol uses a clip: a part of the data set and a split of this part."""

    part: str  # a domain, a condition, or `bonafide`
    split: str  # one of `codecfake.base.utterances.SPLITS`


@dataclass(frozen=True)
class Clip:
    """One recording or one fake. `audio` reads its FLAC file, and raises ShardError if the bytes are damaged."""

    clip_id: str  # as in the protocols: `p225_001` of a recording, `F01_p225_001` of its fake
    utterance_id: str  # of the corpus
    corpus: str
    source: str  # F00: recordings
    key: str
    attack: str  # the source, or the corpus's own name of the attack; "-" for bona fide
    coding: str  # the corpus's name for a codec that both keys were transmitted through; "-" for none
    speaker_id: str
    language: str
    codec: str  # "none" for recordings, and for fakes that a generator made
    quantizers: int
    bitrate_kbps: float
    weights_sha256: str
    license: str  # SPDX expression
    twin_id: str  # `clip_id` of the recording that a codec resynthesized; "" for every other clip
    sha256: str  # of the FLAC file
    num_bytes: int
    num_samples: int
    sample_rate: int
    places: tuple[Place, ...]  # ascending, at least one
    audio: Callable[[], bytes] = field(repr=False, compare=False)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.num_samples / self.sample_rate

    @property
    def file_name(self) -> str:
        """Its name as a loose file, the same as in exported lists: `F01_p225_001.flac`."""
        return exported_name(self.clip_id) + SUFFIX

    @property
    def path(self) -> str:
        """Its path as a loose file, with forward slashes, unique within a data set."""
        return f"{self.corpus}/{self.source}/{self.file_name}"

    @property
    def home(self) -> str:
        """Its split, over all parts."""
        return home({place.split for place in self.places})


def home(splits: set[str]) -> str:
    """The one split that stands for several."""
    return next(split for split in HOME_ORDER if split in splits)
