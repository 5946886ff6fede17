"""Mean pooling and one layer, as in AntiDeepfake (Ge et al. 2025): nearly everything is left to the front-end.

The key names are those of the published checkpoints, whose class order is ours: spoof 0, bona fide 1.
"""

from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import PoolingSettings
from codecfake.detectors.heads import head


class Pooling(nn.Module):
    """Features `[B, F, D]` -> logits `[B, 2]`."""

    def __init__(self, shape: FeatureShape, settings: PoolingSettings) -> None:
        super().__init__()
        self.proj_fc = head(settings.head, shape.dimension, shape.num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.proj_fc(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The mean over time `[B, D]`."""
        return features.mean(dim=1)
