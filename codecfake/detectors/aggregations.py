"""Aggregations: several layers of a self-supervised front-end become one, with weights that are learned."""

import torch
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.aggregation_settings import WeightedSumSettings


class WeightedSum(nn.Module):
    """`[B, L, F, D]` -> `[B, F, D]`: the mean of the layers with weights that are a softmax of L learned scalars.

    Before training all layers weigh the same. The name of the scalars is that of the code of Nes2Net.
    """

    def __init__(self, shape: FeatureShape, settings: WeightedSumSettings) -> None:
        super().__init__()
        self.weight_hidd = nn.Parameter(torch.zeros(shape.num_layers))

    def forward(self, layers: Tensor) -> Tensor:
        return torch.einsum("l,blfd->bfd", self.weight_hidd.softmax(0), layers)
