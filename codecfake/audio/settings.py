"""Settings of the recordings' own shards."""

from dataclasses import dataclass

NATIVE = "native"  # each recording's own sample rate


@dataclass(frozen=True)
class RecordingsSettings:
    num_shards: int
    sample_rate: int | str = 16000  # of the shards; "native": each recording's own
    bonafide_only: bool = False  # as what codecs are trained on must be
