"""The settings of pre-training. This module needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from codecfake.base.settings import Fault, FaultsError
from codecfake.base.suggestions import unknown

ARCHITECTURES = {"wav2vec2": "Wav2Vec2", "wavlm": "WavLM", "hubert": "Hubert"}  # transformers' class names begin so
SMALL = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "conv_dim": [16] * 7,
    "num_conv_pos_embedding_groups": 4,
}


@dataclass(frozen=True)
class PretrainingSettings:
    """The default network has about 150,000 weights; its default training takes five minutes of one core."""

    architecture: str = "wav2vec2"
    config: dict[str, Any] = field(default_factory=lambda: dict(SMALL))  # of the network, as in transformers
    steps: int = 3500
    batch_size: int = 12
    crop_samples: int = 24_000  # at 16 kHz
    learning_rate: float = 0.002  # the peak: it rises over `warm_up_steps` and falls to 0 as a cosine
    warm_up_steps: int = 100
    clusters: int = 64  # of log-mel frames, the classes to predict
    spans: int = 5  # masked in each crop; they can overlap
    span_frames: int = 6
    unmasked_weight: float = 0.5  # of the loss of frames that are not masked
    seed: int = 1

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise FaultsError("pre-training", faults)

    def _faults(self) -> Iterator[Fault]:
        if self.architecture not in ARCHITECTURES:
            yield Fault(("architecture",), unknown("architecture", self.architecture, ARCHITECTURES))
        for name in ("steps", "batch_size", "crop_samples", "spans", "span_frames"):
            if getattr(self, name) < 1:
                yield Fault((name,), f"{getattr(self, name)} is out of range; it must be at least 1")
        if self.clusters < 2:
            yield Fault(("clusters",), f"{self.clusters} is out of range; it must be at least 2")
        for name in ("learning_rate", "unmasked_weight", "warm_up_steps"):
            if getattr(self, name) < 0:
                yield Fault((name,), f"{getattr(self, name)} is out of range; it must not be negative")
