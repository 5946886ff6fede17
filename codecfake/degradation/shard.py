"""Shards of degraded audio: each from one shard of recordings or of fakes, for the utterances that are evaluated.

A fake and its recording get the same degradation: the chance in it depends on the seed, the kind and the utterance,
not on the source or on the step.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codecfake.audio import ladder_shards, shard_files, shards
from codecfake.audio.decoding import Recording
from codecfake.audio.shard_files import Entry
from codecfake.audio.shard_index import ShardError
from codecfake.base.progress import progress
from codecfake.degradation.folders import FolderFiles
from codecfake.degradation.settings import DegradationSettings
from codecfake.detectors import SAMPLE_RATE


def write_shard(
    settings: DegradationSettings,
    index: Path,
    recordings: Path,
    protocols: Sequence[Path],
    tar_path: Path,
    folder: FolderFiles | None = None,
) -> None:
    """Write the degraded audio of the utterances in `protocols` that are in the shard of `index`, in its order.

    `recordings` is the index of the same shard of recordings, which may be `index` itself; `folder` has the files of a
    kind that draws one for each utterance, and the index names it in the column `MIXED_FILE`. Raises ShardError, or as
    the kind of degradation does, naming the utterance.
    """
    entries = ladder_shards.evaluated_entries(index, protocols, settings.corpus)
    originals = {entry.utterance_id: entry for entry in shard_files.read_entries(recordings)}
    degrade, source = settings.load(), tar_path.parent.name

    def partner(
        entry: Entry, wav: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray | Recording, dict[str, object]]:
        """What the kind needs beside the waveform, and the columns that say so."""
        if folder is not None:
            name, file = folder.draw(rng)
            return file, {ladder_shards.MIXED_FILE: name}
        if recordings == index:
            return wav, {}
        return ladder_shards.read(recordings, originals[entry.utterance_id], SAMPLE_RATE), {}

    columns = [*ladder_shards.COLUMNS, *([] if folder is None else [ladder_shards.MIXED_FILE])]
    with shards.ShardWriter(tar_path, f"{source}_", shards.provenance_of(index), columns) as writer:
        for entry in progress(entries, f"{source} {settings.corpus} {tar_path.stem}", len(entries), "utt"):
            wav = ladder_shards.read(index, entry, SAMPLE_RATE)
            rng = np.random.default_rng(seed_of(settings, entry.utterance_id))
            try:
                other, more = partner(entry, wav, rng)
                flac = shards.encode(degrade(wav, other, settings.value, rng), SAMPLE_RATE)
            except (ValueError, OSError, RuntimeError) as error:
                raise ShardError(f"{tar_path}: utterance {entry.utterance_id}: {error}") from error
            writer.append(entry.utterance_id, flac, {**ladder_shards.values(settings.label, entry), **more})


def seed_of(settings: DegradationSettings, utterance_id: str) -> int:
    """The seed of one utterance: the same for its recording, for all of its fakes and for every step of a series."""
    name = f"{settings.seed}/{settings.series}/{settings.corpus}/{utterance_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
