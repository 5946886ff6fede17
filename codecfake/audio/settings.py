"""Settings of the shards of recordings."""

from dataclasses import dataclass

NATIVE = "native"  # each recording's own sample rate
DETECTOR_RATE = 16_000  # Hz, of every detector's input, and of shards unless an experiment says otherwise


@dataclass(frozen=True)
class RecordingsSettings:
    num_shards: int
    sample_rate: int | str = DETECTOR_RATE  # of the shards; "native": each recording's own
    bonafide_only: bool = False  # as required for codec training
