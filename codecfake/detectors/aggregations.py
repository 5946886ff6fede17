"""Aggregations: several layers of a self-supervised front-end become one, with weights that are learned.

SEA and AttM are those of the code of Nes2Net (Liu et al. 2025), with its key names.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.aggregation_settings import AttMSettings, SeaSettings, WeightedSumSettings


class WeightedSum(nn.Module):
    """`[B, L, F, D]` -> `[B, F, D]`: the mean of the layers with weights that are a softmax of L learned scalars.

    Before training all layers weigh the same. The name of the scalars is that of the code of Nes2Net.
    """

    def __init__(self, shape: FeatureShape, settings: WeightedSumSettings) -> None:
        super().__init__()
        self.weight_hidd = nn.Parameter(torch.zeros(shape.num_layers))

    def forward(self, layers: Tensor) -> Tensor:
        return torch.einsum("l,blfd->bfd", self.weight_hidd.softmax(0), layers)


class Sea(nn.Module):
    """Squeeze-and-excitation aggregation: `[B, L, F, D]` -> the sum of the layers times their gates, `[B, F, D]`."""

    def __init__(self, shape: FeatureShape, settings: SeaSettings) -> None:
        super().__init__()
        bottleneck = max(1, shape.num_layers // settings.reduction)
        self.fc_att_merge = nn.Sequential(
            nn.Linear(shape.num_layers, bottleneck, bias=False), nn.ReLU(),
            nn.Linear(bottleneck, shape.num_layers, bias=False), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        gates = self.fc_att_merge(features.mean(dim=(2, 3)))
        return torch.einsum("bl,blfd->bfd", gates, features)


class AttM(nn.Module):
    """Attentive merging: `[B, L, F, D]` -> the layers times their gates, mapped together to `[B, F, D]`."""

    def __init__(self, shape: FeatureShape, settings: AttMSettings) -> None:
        super().__init__()
        layers, dimension = shape.num_layers, shape.dimension
        bottleneck = max(1, layers // settings.reduction)
        self.W = _matrix(dimension, 1)
        self.W1, self.W2 = _matrix(layers, bottleneck), _matrix(bottleneck, layers)
        self.linear_proj = nn.Linear(layers * dimension, dimension)

    def forward(self, features: Tensor) -> Tensor:
        squeezed = F.silu(features.mean(dim=2) @ self.W).squeeze(2)
        gates = torch.sigmoid(F.silu(squeezed @ self.W1) @ self.W2)
        # the published projection reads channel by channel, with the layers of a channel side by side
        layers = (features * gates[:, :, None, None]).permute(0, 2, 3, 1)
        return self.linear_proj(layers.flatten(2))


def _matrix(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, columns)))
