"""The bona fide arm: recordings as they are, through the same door and into the same shards as every codec."""

from dataclasses import dataclass
from pathlib import Path

from codecfake import __version__
from codecfake.audio import shards, waveforms
from codecfake.base import utterances
from codecfake.base.progress import progress

AS_RECORDED = shards.Provenance(codec="none", quantizers=0, bitrate_kbps=0.0, weights_sha256="", version=__version__)


@dataclass(frozen=True)
class RecordingsSettings:
    num_shards: int
    sample_rate: int | str = 16000  # of the shards; "native": each recording's own
    bonafide_only: bool = False  # as what codecs are trained on must be


def write_shard(settings: RecordingsSettings, table: Path, root: Path, shard: int, tar_path: Path) -> None:
    """Write one shard of a corpus's recordings. `table` is its utterance table, `root` its folder."""
    rows = shards.members(utterances.read(table), shard, settings.num_shards)
    if settings.bonafide_only:
        rows = rows[rows["key"] == utterances.BONAFIDE]
    name = f"recordings {table.parent.name} {shard:04d}"
    with shards.ShardWriter(tar_path, "", AS_RECORDED) as writer:
        for row in progress(rows.itertuples(), name, len(rows), "utt"):
            recording = waveforms.read(root / row.path, row.sha256)
            rate = recording.sample_rate if settings.sample_rate == "native" else int(settings.sample_rate)
            writer.add(row.utterance_id, waveforms.resample(recording.wav, recording.sample_rate, rate), rate)
