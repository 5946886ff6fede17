"""Shards of bona fide recordings, which are read, resampled and written by the same code as the output of codecs."""

from pathlib import Path

from codecfake import __version__
from codecfake.audio import shards, waveforms
from codecfake.audio.settings import NATIVE, RecordingsSettings
from codecfake.audio.shard_index import NO_CODEC
from codecfake.base import utterances
from codecfake.base.progress import progress

AS_RECORDED = shards.Provenance(codec=NO_CODEC, quantizers=0, bitrate_kbps=0.0, weights_sha256="", version=__version__)


def write_shard(settings: RecordingsSettings, table: Path, root: Path, shard: int, tar_path: Path) -> None:
    """Write one shard of a corpus's recordings. `table` is its utterance table, `root` its folder."""
    rows = shards.members(utterances.read(table), shard, settings.num_shards)
    if settings.bonafide_only:
        rows = rows[rows["key"] == utterances.BONAFIDE]
    name = f"recordings {table.parent.name} {shard:04d}"
    with shards.ShardWriter(tar_path, "", AS_RECORDED) as writer:
        for row in progress(rows.itertuples(), name, len(rows), "utt"):
            recording = waveforms.read(root / row.path, row.sha256)
            rate = recording.sample_rate if settings.sample_rate == NATIVE else int(settings.sample_rate)
            writer.add(row.utterance_id, waveforms.resample(recording.wav, recording.sample_rate, rate), rate)
