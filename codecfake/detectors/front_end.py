"""The interface of front-ends: they turn waveforms into features with a network or transform that is not trained."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from codecfake.detectors import FeatureShape

NONE = "none"


class FrontEnd(nn.Module, ABC):
    """wav `[B, T]`, float32 at 16 kHz -> features `[B, F, D]`, or `[B, L, F, D]` of several layers.

    It is built only from its settings. Its persistent state is stored with a trained detector, unless it is pretrained.
    """

    is_pretrained = False  # its weights are stored elsewhere; `provenance` says where

    @abstractmethod
    def shape(self, num_samples: int) -> FeatureShape:
        """The shape of the features for clips of `num_samples`."""

    @abstractmethod
    def forward(self, wav: Tensor) -> Tensor:
        """The features of a batch."""

    def provenance(self) -> str | dict[str, str]:
        """Its weights in words ("none", "random"), or `source` and `sha256` of pretrained ones."""
        return NONE

    def digest(self) -> str:
        """sha256 over the weights that determine its features; empty without weights."""
        state = self.state_dict()
        return sha256(state) if state else ""


def sha256(state: Mapping[str, Tensor]) -> str:
    """Digest over names and values of weights."""
    total = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        total.update(name.encode() + tensor.cpu().numpy().tobytes())
    return total.hexdigest()
