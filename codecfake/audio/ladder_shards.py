"""Degraded shards of laundering ladders: their columns, the utterances that they have, and the audio before them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codecfake.audio import shard_files, waveforms
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import ShardError
from codecfake.base import files

COLUMNS = ("degradation", "degraded_from")  # of an index: the step, and the sha256 of the audio before it

MIXED_FILE = "degraded_with"  # the file of a folder of noise or rooms; its digest is in the list of the folder


def evaluated_entries(index: Path, protocols: Sequence[Path], corpus: str) -> list[Entry]:
    """The utterances of a shard that protocols have, in its order."""
    tables = [files.read_tsv(path) for path in protocols]
    names = {name for table in tables for name in table.loc[table["corpus"] == corpus, "utterance_id"]}
    return [entry for entry in shard_files.read_entries(index) if entry.utterance_id in names]


def values(degradation: str, entry: Entry) -> dict[str, object]:
    """`COLUMNS` of an utterance that was `entry` before its degradation."""
    return dict(zip(COLUMNS, (degradation, entry.sha256), strict=True))


def read(index: Path, entry: Entry, sample_rate: int) -> np.ndarray:
    """One utterance, float64 `[T]`. Raises ShardError as `read_samples`, or if it has another sample rate."""
    samples, rate = shard_files.read_samples(index, entry)
    if rate != sample_rate:
        raise ShardError(
            f"{index.with_suffix('.tar')}: utterance {entry.utterance_id} has {rate} Hz, but degradations work at "
            f"{sample_rate}; set `audio: {{sample_rate: {sample_rate}}}`"
        )
    return samples / waveforms.FULL_SCALE
