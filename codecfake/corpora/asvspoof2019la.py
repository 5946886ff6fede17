"""ASVspoof 2019 logical access: bona fide VCTK and spoofs by 19 attacks, with its own splits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from codecfake.base import settings, text_tables
from codecfake.base.text_tables import BLANKS
from codecfake.base.utterances import KEYS, SPLITS, Utterance
from codecfake.corpora import tables
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, by_stem, listing, require
from codecfake.corpora.sizes import CorpusSize, Part

PROTOCOLS = "ASVspoof2019_LA_cm_protocols"
MARKER = (f"LA/{PROTOCOLS}", PROTOCOLS)
PROTOCOL_NAMES = {"train": "train.trn", "dev": "dev.trl", "eval": "eval.trl"}
OFFICIAL = f"LA/{PROTOCOLS}/ASVspoof2019.LA.cm.train.trn.txt and LA/ASVspoof2019_LA_train/flac/LA_T_1000137.flac"
LICENSE = "ODC-By 1.0"

# 3.4, 3.5 and 3.1 s an utterance in train, dev and eval
SIZE = CorpusSize(
    source="the corpus's own protocols (121,461 lines); hours from mean durations, from memory",
    sample_rate=16_000,
    wav=False,
    speech=(
        Part("bonafide", 2_580, hours=2.4, speakers=20, split="train"),
        Part("spoof", 22_800, hours=21.5, speakers=20, split="train"),
        Part("bonafide", 2_548, hours=2.5, speakers=20, split="dev"),
        Part("spoof", 22_296, hours=21.7, speakers=20, split="dev"),
        Part("bonafide", 7_355, hours=6.3, speakers=67, split="eval"),
        Part("spoof", 63_882, hours=55.0, speakers=67, split="eval"),
    ),
)


@dataclass(frozen=True)
class Asvspoof2019LaOptions:
    """`splits`: which of the corpus's three splits to read."""

    splits: tuple[str, ...] = SPLITS


@dataclass(frozen=True)
class _Trial:
    speaker_id: str
    utterance_id: str
    attack: str
    key: str


OPTIONS = Asvspoof2019LaOptions


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """The trials of the countermeasure protocols; `root` is the folder LA or its parent."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    base = "LA/" if (root / MARKER[0]).is_dir() else ""
    trials: list[Utterance] = []
    rejections: list[Rejection] = []
    for split in choice.splits:
        of_split, of_split_rejections = _read_split(root, base, split)
        trials += of_split
        rejections += of_split_rejections
    return listing(root, trials, rejections)


def _read_split(root: Path, base: str, split: str) -> tuple[list[Utterance], list[Rejection]]:
    if split not in SPLITS:
        raise CorpusError(f"option splits: unknown split {split!r}; choose from {', '.join(SPLITS)}")
    protocol = f"{base}{PROTOCOLS}/ASVspoof2019.LA.cm.{PROTOCOL_NAMES[split]}.txt"
    folder = f"{base}ASVspoof2019_LA_{split}/flac"
    audio = by_stem(root, audio_files(root, folder))
    trials = list(_trials(root / protocol))
    recordings = [
        _utterance(trial, split, audio[trial.utterance_id]) for trial in trials if trial.utterance_id in audio
    ]
    absent = sorted({trial.utterance_id for trial in trials} - set(audio))
    not_trials = sorted(set(audio) - {trial.utterance_id for trial in trials})
    reason = f"listed in {protocol} but the file is absent"
    rejections = [Rejection(f"{folder}/{name}.flac", reason) for name in absent]
    # dev and eval include enrollment recordings for speaker verification, which are not trials here
    rejections += [Rejection(audio[name], f"not in {protocol}", expected=True) for name in not_trials]
    return recordings, rejections


def _utterance(trial: _Trial, split: str, path: str) -> Utterance:
    return Utterance(trial.utterance_id, trial.speaker_id, "en", path, key=trial.key, split=split, attack=trial.attack)


def _trials(protocol: Path) -> Iterator[_Trial]:
    # LA_0079 LA_T_1138215 - - bonafide
    # LA_0079 LA_T_1004644 - A01 spoof
    if not protocol.is_file():
        raise CorpusError(f"{protocol}: no such protocol; restore it, or leave out its split (option splits)")
    for line in tables.lines(protocol):
        fields = text_tables.cells(line.text, BLANKS)
        if len(fields) != 5 or fields[4] not in KEYS:
            raise CorpusError(
                f"{protocol}:{line.number}: {line.text!r} is not `speaker utterance - attack bonafide|spoof`"
            )
        yield _Trial(speaker_id=fields[0], utterance_id=fields[1], attack=fields[3], key=fields[4])
