"""AASIST (Jung et al. 2022): spectral and temporal graphs of a spectrogram, joined by heterogeneous attention.

One class serves as the back-end of W2V2-AASIST (Xie et al. 2025, after Tak et al. 2022), the default, and,
with the sinc front-end, as AASIST and AASIST-L themselves. Attribute names are the key names of the published
checkpoints; those of Xie et al. have the class order reversed (bona fide 0): swap the rows of `out_layer`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import AasistSettings
from codecfake.detectors.graph import GraphAttention, GraphPool, HeterogeneousAttention
from codecfake.detectors.heads import head

GRAPH_TEMPERATURE, HETEROGENEOUS_TEMPERATURE = 2.0, 100.0
BRANCH_DROPOUT, FINAL_DROPOUT = 0.2, 0.5


class Aasist(nn.Module):
    """Features `[B, F, D]` -> logits `[B, 2]`."""

    def __init__(self, shape: FeatureShape, settings: AasistSettings) -> None:
        super().__init__()
        height = (settings.projection or shape.dimension) // 3
        shallow, deep = settings.channels
        graph, joint = settings.graph_dims
        if settings.projection is not None:
            self.LL = nn.Linear(shape.dimension, settings.projection)
        self.first_bn = nn.BatchNorm2d(1)
        inputs = (1, shallow, shallow, deep, deep, deep)
        outputs = (shallow, shallow, deep, deep, deep, deep)
        self.encoder = nn.Sequential(
            *(nn.Sequential(ResidualBlock(*pair, settings.block_pool)) for pair in zip(inputs, outputs, strict=True))
        )
        self._attentive = settings.nodes == "attention"
        if self._attentive:
            self.first_bn1 = nn.BatchNorm2d(deep)
            self.attention = nn.Sequential(
                nn.Conv2d(deep, 2 * deep, 1), nn.SELU(), nn.BatchNorm2d(2 * deep), nn.Conv2d(2 * deep, deep, 1)
            )
        self.pos_S = nn.Parameter(torch.randn(1, height, deep))
        self.GAT_layer_S = GraphAttention(deep, graph, GRAPH_TEMPERATURE)
        self.GAT_layer_T = GraphAttention(deep, graph, GRAPH_TEMPERATURE)
        self.pool_S = GraphPool(settings.pool_ratios[0], graph)
        self.pool_T = GraphPool(settings.pool_ratios[1], graph)
        for branch in (1, 2):
            self._add_branch(branch, graph, joint, settings.pool_ratios[2])
        self.drop_way = nn.Dropout(BRANCH_DROPOUT)
        self.drop = nn.Dropout(FINAL_DROPOUT)
        self.out_layer = head(settings.head, 5 * joint, shape.num_classes)

    def _add_branch(self, branch: int, graph: int, joint: int, ratio: float) -> None:
        setattr(self, f"master{branch}", nn.Parameter(torch.randn(1, 1, graph)))
        first = HeterogeneousAttention(graph, joint, HETEROGENEOUS_TEMPERATURE)
        second = HeterogeneousAttention(joint, joint, HETEROGENEOUS_TEMPERATURE)
        self.add_module(f"HtrgGAT_layer_ST{branch}1", first)
        self.add_module(f"HtrgGAT_layer_ST{branch}2", second)
        self.add_module(f"pool_hS{branch}", GraphPool(ratio, joint))
        self.add_module(f"pool_hT{branch}", GraphPool(ratio, joint))

    def forward(self, features: Tensor) -> Tensor:
        return self.out_layer(self.drop(self.embed(features)))

    def embed(self, features: Tensor) -> Tensor:
        """The readout `[B, 160]` (with 32 joined dimensions): max and mean of both graphs, and the master node."""
        spectral, temporal = self._graphs(self._spectrogram(features))
        branches = [self._branch(branch, spectral, temporal) for branch in (1, 2)]
        spectral, temporal, master = (torch.maximum(first, second) for first, second in zip(*branches, strict=True))
        return torch.cat(
            (
                temporal.abs().amax(dim=1),
                temporal.mean(dim=1),
                spectral.abs().amax(dim=1),
                spectral.mean(dim=1),
                master.squeeze(1),
            ),
            dim=1,
        )

    def _spectrogram(self, features: Tensor) -> Tensor:
        """`[B, F, D]` -> `[B, C, H, W]`: H features by W frames."""
        if hasattr(self, "LL"):
            features = self.LL(features)
        image = F.max_pool2d(features.transpose(1, 2).unsqueeze(1), 3)
        return self.encoder(F.selu(self.first_bn(image)))

    def _graphs(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Spectral nodes, one per feature, and temporal nodes, one per frame."""
        spectral, temporal = self._attended(image) if self._attentive else (image.abs().amax(3), image.abs().amax(2))
        spectral = self.GAT_layer_S(spectral.transpose(1, 2) + self.pos_S)
        temporal = self.GAT_layer_T(temporal.transpose(1, 2))
        return self.pool_S(spectral), self.pool_T(temporal)

    def _attended(self, image: Tensor) -> tuple[Tensor, Tensor]:
        image = F.selu(self.first_bn1(image))
        weights = self.attention(image)
        return (image * weights.softmax(3)).sum(3), (image * weights.softmax(2)).sum(2)

    def _branch(self, branch: int, spectral: Tensor, temporal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        part = self.get_submodule
        master = getattr(self, f"master{branch}")
        temporal, spectral, master = part(f"HtrgGAT_layer_ST{branch}1")(temporal, spectral, master)
        spectral, temporal = part(f"pool_hS{branch}")(spectral), part(f"pool_hT{branch}")(temporal)
        more_temporal, more_spectral, more_master = part(f"HtrgGAT_layer_ST{branch}2")(temporal, spectral, master)
        drop = self.drop_way
        return drop(spectral + more_spectral), drop(temporal + more_temporal), drop(master + more_master)


class ResidualBlock(nn.Module):
    """`[B, C, H, W]` -> `[B, C', H, W // pool]`."""

    def __init__(self, inputs: int, outputs: int, pool: int) -> None:
        super().__init__()
        if inputs > 1:
            # The published blocks compute this norm and discard the result. It is never called here,
            # but their checkpoints contain its keys.
            self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, (2, 3), padding=(1, 1))
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, (2, 3), padding=(0, 1))
        self.conv_downsample = (
            nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, (1, 3), padding=(0, 1))
        )
        self._pool = pool

    def forward(self, image: Tensor) -> Tensor:
        residual = self.conv2(F.selu(self.bn2(self.conv1(image))))
        return F.max_pool2d(residual + self.conv_downsample(image), (1, self._pool))
