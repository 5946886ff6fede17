"""MHFA, multi-head factorized attentive pooling (Peng et al. 2022), with the last layers of wedefense.

It learns two mixtures of the layers of the front-end: one says which frames count, the other what is averaged. The key
names are those of wedefense; `trans` is its projection. Its scaling of the gradient to the front-end is left to the
front-end's own learning rate.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import MhfaSettings
from codecfake.detectors.heads import head


class Mhfa(nn.Module):
    """Features `[B, L, F, D]` -> logits `[B, 2]`."""

    def __init__(self, shape: FeatureShape, settings: MhfaSettings) -> None:
        super().__init__()
        self.weights_k = nn.Parameter(torch.ones(shape.num_layers))
        self.weights_v = nn.Parameter(torch.ones(shape.num_layers))
        self.cmp_linear_k = nn.Linear(shape.dimension, settings.compression)
        self.cmp_linear_v = nn.Linear(shape.dimension, settings.compression)
        self.att_head = nn.Linear(settings.compression, settings.heads)
        self.pooling_fc = nn.Linear(settings.heads * settings.compression, settings.embedding)
        self.trans = nn.Sequential(
            Norm(settings.embedding), nn.ReLU(), head(settings.head, settings.embedding, shape.num_classes)
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.trans(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The embedding `[B, 256]`."""
        attention, values = self.attention(features)
        return self.pooling_fc((attention.transpose(1, 2) @ values).flatten(1))

    def attention(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The weight of each frame in each head `[B, F, H]`, whose sum over frames is 1, and the values `[B, F, C]`."""
        keys = self.cmp_linear_k(_mixed(features, self.weights_k))
        values = self.cmp_linear_v(_mixed(features, self.weights_v))
        return self.att_head(keys).softmax(dim=1), values


class Norm(nn.BatchNorm1d):
    """Of embeddings `[B, D]`; a batch of one, which the last of an epoch may be, takes the running statistics."""

    def forward(self, embedding: Tensor) -> Tensor:
        if len(embedding) > 1:
            return super().forward(embedding)
        return F.batch_norm(embedding, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def _mixed(features: Tensor, weights: Tensor) -> Tensor:
    """The sum over layers by the softmax of their weights, `[B, F, D]`."""
    return torch.einsum("l,blfd->bfd", weights.softmax(dim=0), features)
