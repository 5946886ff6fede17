"""The utterance table: which audio exists in a corpus, one row per utterance."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

BONAFIDE, SPOOF = "bonafide", "spoof"
KEYS = (BONAFIDE, SPOOF)
RESYNTHESIZE = {BONAFIDE: (BONAFIDE,), SPOOF: (SPOOF,), "both": KEYS}  # value of an experiment -> keys of originals
SPLITS = ("train", "dev", "eval")
NO_CODING = "-"


@dataclass(frozen=True)
class Utterance:
    """What a corpus's own files say about one utterance, before its audio is decoded."""

    utterance_id: str  # the corpus's own stem
    speaker_id: str
    language: str  # ISO 639-1
    path: str  # relative to the corpus root, with forward slashes
    text: str | None = None
    key: str = BONAFIDE
    split: str | None = None  # if the corpus is published with splits
    attack: str = "-"  # the corpus's name for the attack that made a spoof; "-" for bona fide
    coding: str = NO_CODING  # the corpus's name for a codec that both keys were transmitted through, such as alaw


COLUMNS = (
    "utterance_id", "corpus", "speaker_id", "language", "text", "path", "key", "split", "attack",
    "sample_rate", "channels", "num_samples", "sha256",
)  # fmt: skip
CODING = "coding"  # a further column, only of corpora with coded recordings


def read(path: Path) -> "pd.DataFrame":
    """An utterance table; columns are `COLUMNS`, rows sorted by utterance_id. Raises FileError if it is damaged.

    The table of a corpus with coded recordings has the column `CODING` too.
    """
    # pandas takes most of the time of starting the processes that decode audio, which read no table
    from codecfake.base import files

    return files.read_parquet(path, COLUMNS, optional=[CODING])
