"""Copy synthesis: the vocoders of the demo's spoofs, which need no training, one kind a module.

A spoof is a recording through the analysis and the synthesis of a vocoder. As in ASVspoof 2019 LA (Wang et al. 2020),
train and dev share their attacks and evaluation has others. Those of evaluation are of each kind of training with other
parameters, and of one more kind: no attack of training is sinusoidal. Levels are not adjusted.
"""

from typing import Protocol

import numpy as np

from codecfake.demo.attacks.griffin_lim import GriffinLim
from codecfake.demo.attacks.sinusoidal import Sinusoidal
from codecfake.demo.attacks.source_filter import SourceFilter
from codecfake.demo.attacks.world import World


class Attack(Protocol):
    """One vocoder with its parameters."""

    @property
    def name(self) -> str:
        """The name in protocols, such as A01."""
        ...

    def spoof(self, wav: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """A spoof `[T]` of the recording `wav`, `[T]`; what is random in it is drawn from `rng`."""
        ...


KNOWN_ATTACKS: tuple[Attack, ...] = (
    GriffinLim("A01", window=512, hop=128, iterations=3),
    GriffinLim("A02", window=1024, hop=256, iterations=4, mel_bands=40),
    World("A03", frame_ms=5),
    SourceFilter("A04", order=18, frame_ms=10),
)
UNKNOWN_ATTACKS: tuple[Attack, ...] = (
    GriffinLim("A07", window=1024, hop=256, iterations=2),
    World("A08", frame_ms=10, envelope_dimensions=40),
    SourceFilter("A09", order=24, frame_ms=5, noise_above_hz=3000),
    Sinusoidal("A10", frame_ms=10, noise_above_hz=4500),
)
