"""LibriTTS (and LibriTTS-R, with the same layout): read English, used here to train codecs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import Utterance
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, listing, require
from codecfake.corpora.sizes import CorpusSize, Part
from codecfake.corpora.tables import transcript

MARKER = ("train-*", "dev-*", "test-*")
OFFICIAL = "train-clean-100/103/1241/103_1241_000000_000001.wav (subset/speaker/chapter), texts in ….normalized.txt"
NAME = re.compile(r"(?P<speaker_id>\d+)_\d+_\d+_\d+")
LICENSE = "CC BY 4.0"

SIZE = CorpusSize(
    source="Zen et al. 2019, arXiv 1904.02882 (585 hours, 2,456 speakers); utterances of its seven parts from memory",
    sample_rate=24_000,
    wav=True,
    speech=(Part("bonafide", 375_086, hours=585.0, speakers=2456),),
)


@dataclass(frozen=True)
class LibriTtsOptions:
    """`subsets`, such as train-clean-100; None means all that exist."""

    subsets: tuple[str, ...] | None = None


OPTIONS = LibriTtsOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All utterances of the subsets; the text is None without a .normalized.txt."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    recordings, rejections = [], []
    for subset in _subsets(root, choice.subsets):
        for path in audio_files(root, subset):
            name = NAME.fullmatch(PurePosixPath(path).stem)
            if name is None:
                rejections.append(
                    Rejection(path, "not named as LibriTTS names its recordings (103_1241_000000_000001)")
                )
                continue
            # 103_1241_000000_000001.normalized.txt: matthew Cuthbert is surprised
            # 1034_121119_000064_000001.normalized.txt: What am I?--the law.
            text = transcript((root / path).with_suffix(".normalized.txt"))
            recordings.append(Utterance(name[0], name["speaker_id"], "en", path, text))
    return listing(root, recordings, rejections)


def _subsets(root: Path, names: tuple[str, ...] | None) -> list[str]:
    present = sorted(path.name for pattern in MARKER for path in root.glob(pattern) if path.is_dir())
    absent = sorted(set(names or ()) - set(present))
    if absent:
        raise CorpusError(f"{root}: no subset {absent[0]!r}; choose from {', '.join(present)}")
    return present if names is None else sorted(set(names))
