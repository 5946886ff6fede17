"""Settings of resynthesis. This module needs no torch, so that an experiment can be checked before any job."""

from dataclasses import dataclass, field
from typing import Any, Literal

NATIVE = "native"  # the codec's own sample rate
DecoderPrecision = Literal["float32", "tf32", "bfloat16"]
Resynthesize = Literal["bonafide", "spoof", "both"]  # the keys of the originals, see `utterances.RESYNTHESIZE`
WINDOW_DURATION = 30.0  # seconds: longer than most utterances


@dataclass(frozen=True)
class ResynthesisSettings:
    codec: str  # name of the codec configuration
    wrapper: str
    sources: dict[str, int]  # source -> number of quantizers
    num_shards: int
    model: dict[str, Any] = field(default_factory=dict)
    gain: str | None = None  # level of the codec's input, see Gain; None: the codec's default
    keep_gain: bool = False  # leave the output at that level
    decoder_precision: DecoderPrecision = "float32"  # of multiplications; codes are always exact
    license: str = ""  # of the codec's code and weights
    sample_rate: int | str = 16000  # of the shards; "native": the codec's own
    resynthesize: Resynthesize = "bonafide"
    batch_duration: float = 60.0  # most seconds of audio in a batch; only GPUs use batches
    window_duration: float = (
        WINDOW_DURATION  # seconds; longer recordings go through the codec in windows of this length
    )


@dataclass(frozen=True)
class SecondCodecSettings:
    """A codec that degrades audio for laundering ladders; what is not here is as in `ResynthesisSettings`."""

    corpus: str
    codec: str
    wrapper: str
    steps: dict[str, int]  # name of a degradation -> number of quantizers
    sample_rate: int
    model: dict[str, Any] = field(default_factory=dict)
    gain: str | None = None
    keep_gain: bool = False
    decoder_precision: DecoderPrecision = "float32"
    license: str = ""

    @property
    def resynthesis(self) -> ResynthesisSettings:
        """The same for a shard that is read already."""
        return ResynthesisSettings(
            codec=self.codec,
            wrapper=self.wrapper,
            sources=self.steps,
            num_shards=1,
            model=self.model,
            gain=self.gain,
            keep_gain=self.keep_gain,
            decoder_precision=self.decoder_precision,
            license=self.license,
            sample_rate=self.sample_rate,
        )
