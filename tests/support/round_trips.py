"""A published folder as a corpus: the utterance table of a layout, protocols of it, and digests of decoded samples."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import finished_runs
import pandas as pd
import soundfile

from codecfake import corpora
from codecfake.audio import decoding
from codecfake.base import files
from codecfake.corpora.ingest import DTYPES
from codecfake.corpora.inspection import inspect
from codecfake.protocols import lists
from codecfake.protocols.lists import ConditionSettings, PartitionSettings, Side, Split
from codecfake.publishing import publication
from codecfake.publishing.selection import Selection

TRIAL = ["trial_id", "key", "speaker_id", "attack"]
CORPUS = "published"
PARTS = {"train": ["codec/train"], "dev": ["codec/dev"], "eval": ["eval/C1", "eval/P00", "eval/P00-all"]}
CONDITIONS = ("C1", "P00", "P00-all")


def utterances(root: Path, layout: str, options: dict[str, object]) -> pd.DataFrame:
    """The table that ingest makes, without its processes. All recordings must be usable."""
    listing = corpora.layout(layout).utterances(root, options)
    assert listing.rejections == ()
    rows = [{"corpus": CORPUS, **asdict(one), **asdict(inspect(root / one.path, 0.0))} for one in listing.utterances]
    return pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)


def protocol(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """The trials of a split as published, sorted."""
    tables = {CORPUS: table}
    if split == "eval":
        trials = lists.condition(ConditionSettings(Side([CORPUS]), Side([CORPUS])), tables)
    else:
        trials = lists.partition(PartitionSettings([CORPUS], Split("corpus")), tables, split)
    return in_order(trials)


def in_order(trials: pd.DataFrame) -> pd.DataFrame:
    """Trials without their order, and without the columns that no form has."""
    return trials[TRIAL].drop_duplicates().sort_values(TRIAL).reset_index(drop=True).astype(str)


def of_run(run: Path, names: Iterable[str]) -> pd.DataFrame:
    """The trials of some protocols of a run, such as `codec/train` and `eval/C1`."""
    return in_order(pd.concat([files.read_tsv(run / f"results/protocols/{name}.tsv") for name in names]))


def digests(root: Path, table: pd.DataFrame) -> dict[str, str]:
    """Utterance id -> digest of the samples of its file."""
    return {
        name: digest(decoding.read_bytes(root / path))
        for name, path in table[["utterance_id", "path"]].itertuples(index=False, name=None)
    }


def digest(audio: bytes) -> str:
    """Of decoded samples, whatever the container."""
    return hashlib.sha256(soundfile.read(io.BytesIO(audio), dtype="int16")[0].tobytes()).hexdigest()


def audio_of(run: Path) -> dict[str, str]:
    """Clip id -> digest of its samples in a run."""
    clips = publication.read(run, finished_runs.FACTS, Selection()).clips()
    return {clip.clip_id: digest(clip.audio()) for clip in clips}


def is_part_of(small: dict[str, str], large: dict[str, str]) -> bool:
    """Whether a form has digests of the run, and no other ones."""
    return small.items() <= large.items() and len(small) > 0


def places() -> Iterator[tuple[str, str, str]]:
    """Part, split and protocol of each list of a run."""
    for split, names in PARTS.items():
        for name in names:
            yield (name.removeprefix("eval/") if split == "eval" else "codec"), split, name
