"""SLS, sensitive layer selection (Zhang et al. 2024): every clip weighs the layers of its front-end by gates.

The key names are those of the published checkpoints, whose class order is ours: spoof 0, bona fide 1. Their layers are
the outputs of all 24 blocks of XLS-R before its last normalization.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import SlsSettings

POOL = 3  # frames and features that become one


class Sls(nn.Module):
    """Features `[B, L, F, D]` -> logits `[B, 2]`, for one number of frames.

    The logits are log-probabilities. The activation before them limits negative outputs to -1.76, so that scores of
    clear cases saturate, as in the published network.
    """

    def __init__(self, shape: FeatureShape, settings: SlsSettings) -> None:
        super().__init__()
        self.fc0 = nn.Linear(shape.dimension, 1)
        self.first_bn = nn.BatchNorm2d(1)
        self.fc1 = nn.Linear(_pooled(shape.num_frames) * _pooled(shape.dimension), settings.hidden)
        self.fc3 = nn.Linear(settings.hidden, shape.num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return F.selu(self.fc3(F.selu(self.embed(features)))).log_softmax(dim=1)

    def embed(self, features: Tensor) -> Tensor:
        """The output `[B, H]` of the hidden layer, before its activation."""
        image = F.selu(self.first_bn(self.fused(features).unsqueeze(1)))
        return self.fc1(F.max_pool2d(image, POOL).flatten(1))

    def fused(self, features: Tensor) -> Tensor:
        """The sum of the layers times their gates, `[B, F, D]`; the gates are not normalized."""
        return (self.gates(features).unsqueeze(3) * features).sum(dim=1)

    def gates(self, features: Tensor) -> Tensor:
        """The weight of each layer in [0, 1], `[B, L, 1]`."""
        return self.fc0(features.mean(dim=2)).sigmoid()


def _pooled(length: int) -> int:
    """Length of an image side after pooling. Raises ValueError if nothing is left."""
    if length < POOL:
        raise ValueError(f"sls pools frames and features by {POOL}, but one side has {length} points")
    return length // POOL
