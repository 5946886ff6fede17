"""Settings of resynthesis, without torch: an experiment is checked before any job."""

from dataclasses import dataclass, field
from typing import Any

NATIVE = "native"  # the codec's own sample rate
WINDOW_DURATION = 30.0  # seconds: longer than utterances are


@dataclass(frozen=True)
class ResynthesisSettings:
    codec: str  # name of the codec configuration
    wrapper: str
    sources: dict[str, int]  # source -> number of quantizers
    num_shards: int
    model: dict[str, Any] = field(default_factory=dict)
    gain: str | None = None  # level that the codec is given, see Gain; None: the codec's own habit
    keep_gain: bool = False  # leave the output at that level
    license: str = ""  # of the codec's code and weights
    sample_rate: int | str = 16000  # of the shards; "native": the codec's own
    batch_duration: float = 60.0  # seconds of audio in a batch, at most; only a GPU is given batches
    window_duration: float = WINDOW_DURATION  # what is longer goes through the codec in parts of at most this
