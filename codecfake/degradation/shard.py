"""Shards of degraded audio: each from one shard of recordings or of fakes, for the utterances that are evaluated.

A fake and its recording get the same degradation: the chance in it depends on the seed, the kind and the utterance,
not on the source or on the step.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from codecfake import __version__
from codecfake.audio import shard_files, shards, waveforms
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import NO_CODEC, ShardError
from codecfake.audio.shards import Provenance
from codecfake.base import files
from codecfake.base.progress import progress
from codecfake.degradation.settings import DegradationSettings
from codecfake.detectors import SAMPLE_RATE

MORE = ("degradation", "degraded_from")  # columns of an index: the step, and the sha256 of the audio before it


def write_shard(
    settings: DegradationSettings, index: Path, recordings: Path, protocols: Sequence[Path], tar_path: Path
) -> None:
    """Write the degraded audio of the utterances in `protocols` that are in the shard of `index`, in its order.

    `recordings` is the index of the same shard of recordings, which may be `index` itself. Raises ShardError, or as
    the kind of degradation does, naming the utterance.
    """
    utterance_ids = evaluated_utterances(protocols, settings.corpus)
    entries = [entry for entry in shard_files.read_entries(index) if entry.utterance_id in utterance_ids]
    originals = {entry.utterance_id: entry for entry in shard_files.read_entries(recordings)}
    degrade, source = settings.load(), tar_path.parent.name
    with shards.ShardWriter(tar_path, f"{source}_", provenance_of(index), MORE) as writer:
        for entry in progress(entries, f"{source} {settings.corpus} {tar_path.stem}", len(entries), "utt"):
            wav = _read(index, entry)
            recording = wav if recordings == index else _read(recordings, originals[entry.utterance_id])
            rng = np.random.default_rng(seed_of(settings, entry.utterance_id))
            try:
                flac = shards.encode(degrade(wav, recording, settings.value, rng), SAMPLE_RATE)
            except (ValueError, OSError, RuntimeError) as error:
                raise ShardError(f"{tar_path}: utterance {entry.utterance_id}: {error}") from error
            writer.append(entry.utterance_id, flac, dict(zip(MORE, (settings.label, entry.sha256), strict=True)))


def evaluated_utterances(protocols: Sequence[Path], corpus: str) -> set[str]:
    """The utterances of a corpus in protocols."""
    tables = [files.read_tsv(path) for path in protocols]
    return {name for table in tables for name in table.loc[table["corpus"] == corpus, "utterance_id"]}


def provenance_of(index: Path) -> Provenance:
    """The origin of a shard, which its degraded audio shares; that of recordings for a shard without utterances."""
    names = [column.name for column in fields(Provenance)]
    rows = files.read_arrow(index, names).slice(0, 1).to_pylist()
    return Provenance(**{**rows[0], "version": __version__}) if rows else Provenance(NO_CODEC, 0, 0.0, "", __version__)


def seed_of(settings: DegradationSettings, utterance_id: str) -> int:
    """The seed of one utterance: the same for its recording, for all of its fakes and for every step of a kind."""
    name = f"{settings.seed}/{settings.kind}/{settings.corpus}/{utterance_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _read(index: Path, entry: Entry) -> np.ndarray:
    """One utterance, float64 `[T]`. Raises ShardError if its bytes were damaged, or if it has another sample rate."""
    tar_path = index.with_suffix(".tar")
    with shard_files.open_tar(tar_path) as tar:
        data = b"".join(shard_files.chunks(tar, entry))
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ShardError(f"{tar_path}: utterance {entry.utterance_id} is damaged; {files.MAKE_AGAIN}")
    samples, sample_rate = waveforms.decode_int16(data)
    if sample_rate != SAMPLE_RATE:
        raise ShardError(
            f"{tar_path}: utterance {entry.utterance_id} has {sample_rate} Hz, but degradations work at {SAMPLE_RATE}; "
            f"set `audio: {{sample_rate: {SAMPLE_RATE}}}`"
        )
    return samples / waveforms.FULL_SCALE
