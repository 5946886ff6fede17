"""AISHELL-3: Mandarin, 218 speakers. Its train and test parts are for speech synthesis, not for our splits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.utterances import Utterance
from codecfake.corpora import tables
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, by_stem, listing, require
from codecfake.corpora.sizes import CorpusSize, Part

PARTS = ("train", "test")
MARKER = tuple(f"{part}/wav" for part in PARTS)
OFFICIAL = "train/wav/SSB0005/SSB00050001.wav and test/wav/…, texts in train/content.txt and test/content.txt"
NAME = re.compile(r"(?P<speaker_id>SSB\d{4})\d{4}")
LICENSE = "Apache-2.0"

SIZE = CorpusSize(
    source="Shi et al. 2021, arXiv 2010.11567 (85 hours); utterances as Xie et al. 2025 count",
    sample_rate=44_100,
    wav=True,
    speech=(Part("bonafide", 88_035, hours=85.0, speakers=218),),
)


@dataclass(frozen=True)
class Aishell3Options:
    """No options."""


OPTIONS = Aishell3Options


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All utterances of both parts; the text is None without a line in content.txt."""
    settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    recordings: list[Utterance] = []
    rejections: list[Rejection] = []
    for part in PARTS:
        audio = by_stem(root, audio_files(root, f"{part}/wav"))
        texts = _texts(root / part / "content.txt")
        absent = sorted(set(texts) - set(audio))
        rejections += [Rejection(_path(part, stem), f"listed in {part}/content.txt but absent") for stem in absent]
        for stem, path in audio.items():
            name = NAME.fullmatch(PurePosixPath(path).stem)
            if name is None:
                rejections.append(Rejection(path, "not named as AISHELL-3 names its recordings (SSB00050001)"))
            else:
                recordings.append(Utterance(stem, name["speaker_id"], "zh", path, texts.get(stem)))
    return listing(root, recordings, rejections)


def _path(part: str, stem: str) -> str:
    return f"{part}/wav/{stem[:7]}/{stem}.wav"


def _texts(path: Path) -> dict[str, str | None]:
    """Stem -> text, from a file with alternating characters and pinyin; empty without a file."""
    # SSB01120002.wav	幺 yao1 三 san1 三 san1 三 san1 七 qi1 零 ling2 八 ba1 零 ling2 七 qi1 八 ba1 七 qi1
    # SSB01390001.wav	我 wo3 知 zi1 道 dao4 你 ni3 不 bu4 习 qi2 惯 guan4
    if not path.is_file():
        return {}
    texts: dict[str, str | None] = {}
    for line in tables.lines(path):
        where = f"{path}:{line.number}"
        # copies of the list often have a blank in place of the tab; no name has one
        name, *words = line.text.split()
        stem = PurePosixPath(name).stem
        if NAME.fullmatch(stem) is None:
            raise CorpusError(f"{where}: {name!r} is no name of AISHELL-3 (SSB00050001.wav); restore the corpus's file")
        if stem in texts:
            raise CorpusError(f"{where}: {stem} is listed a second time; restore the corpus's own file")
        texts[stem] = "".join(words[::2]) or None
    return texts
