"""Settings of the shards of recordings."""

from dataclasses import dataclass

NATIVE = "native"  # each recording's own sample rate


@dataclass(frozen=True)
class RecordingsSettings:
    num_shards: int
    sample_rate: int | str = 16000  # of the shards; "native": each recording's own
    bonafide_only: bool = False  # as required for codec training
