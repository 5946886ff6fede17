"""CodecFake+ CoSG (Chen et al. 2025): fakes of generators that work with codecs, from their pages; evaluation only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from codecfake.base import settings
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora import trial_lists
from codecfake.corpora.listing import Listing, audio_files, by_stem, listing, require
from codecfake.corpora.trial_lists import Trial

LABELS, AUDIO = "CoSG_labels.txt", "CoSG"
MARKER = (LABELS,)
OFFICIAL = f"{LABELS} and {AUDIO}/CLAMTTS_1.wav"
COLUMNS = ("model", "clip", "quantizer", "auxiliary", "decoder", "label")
KEY_OF_LABEL = {"bonafide": BONAFIDE, "Spoof": SPOOF, "spoof": SPOOF}  # published with one capital
LICENSE = "MIT"


@dataclass(frozen=True)
class CosgOptions:
    """`attack`: the column that groups the spoofs: the model, or a class of its codec.

    The classes are those of the taxonomy of CodecFake+: vector quantizer, auxiliary objective, domain of the decoder.
    """

    attack: Literal["model", "quantizer", "auxiliary", "decoder"] = "model"


OPTIONS = CosgOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if the recordings are not there."""
    trial_lists.first_folder(root, [AUDIO], "the recordings")


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """All clips of the list; their speakers are unknown."""
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    check(root, options)
    audio = by_stem(root, audio_files(root, AUDIO))
    return listing(root, *trial_lists.with_recordings(_trials(root / LABELS, choice.attack), audio, LABELS))


def _trials(path: Path, attack: str) -> Iterator[Trial]:
    # EXAMPLETTS EXAMPLETTS_1 Mvq None Freq Spoof
    # EXAMPLETTS EXAMPLETTS_2 Real Real Real bonafide
    for line in trial_lists.lines(path, " ".join(COLUMNS)):
        cells = dict(zip(COLUMNS, line.words, strict=True))
        clip, key = cells["clip"], trial_lists.meaning(cells["label"], KEY_OF_LABEL, line.where)
        utterance = Utterance(
            clip, "-", "en", f"{AUDIO}/{clip}.wav",
            key=key, split="eval", attack=cells[attack] if key == SPOOF else "-",
        )  # fmt: skip
        yield Trial(clip, line.where, utterance)
