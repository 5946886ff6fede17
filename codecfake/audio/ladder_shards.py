"""Degraded shards of laundering ladders: their columns, the utterances that they have, and the audio before them."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from codecfake import __version__
from codecfake.audio import shard_files, waveforms
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import NO_CODEC, ShardError
from codecfake.audio.shards import Provenance
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


def provenance_of(index: Path) -> Provenance:
    """The origin of a shard, which its degraded audio shares; that of recordings for a shard without utterances."""
    names = [column.name for column in fields(Provenance)]
    rows = files.read_arrow(index, names).slice(0, 1).to_pylist()
    return Provenance(**{**rows[0], "version": __version__}) if rows else Provenance(NO_CODEC, 0, 0.0, "", __version__)


def read(index: Path, entry: Entry, sample_rate: int) -> np.ndarray:
    """One utterance, float64 `[T]`. Raises ShardError if its bytes were damaged, or if it has another sample rate."""
    tar_path = index.with_suffix(".tar")
    with shard_files.open_tar(tar_path) as tar:
        data = b"".join(shard_files.chunks(tar, entry))
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ShardError(f"{tar_path}: utterance {entry.utterance_id} is damaged; {files.MAKE_AGAIN}")
    samples, rate = waveforms.decode_int16(data)
    if rate != sample_rate:
        raise ShardError(
            f"{tar_path}: utterance {entry.utterance_id} has {rate} Hz, but degradations work at {sample_rate}; "
            f"set `audio: {{sample_rate: {sample_rate}}}`"
        )
    return samples / waveforms.FULL_SCALE
