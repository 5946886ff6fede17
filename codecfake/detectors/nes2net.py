"""Nes2Net and Nes2Net-X (Liu et al. 2025): Res2Net blocks nested in a Res2Net, without reducing the feature dimension.

The order is always convolution, activation, normalization. The key names are those of the published checkpoints without
their first part; the class order is ours: spoof 0, bona fide 1.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import ASTP, SELU, Nes2NetSettings, X
from codecfake.detectors.heads import head

KERNEL_SIZE = 3  # frames
LEAST_BOTTLENECK = 2  # channels of squeeze-excitation
ATTENTION, VARIANCE_FLOOR = 128, 1e-10  # of attentive pooling
Activation = Callable[[Tensor], Tensor]


class Nes2Net(nn.Module):
    """Features `[B, F, D]` -> logits `[B, 2]`."""

    def __init__(self, shape: FeatureShape, settings: Nes2NetSettings) -> None:
        super().__init__()
        self._groups = settings.groups[0]
        width = _width(shape.dimension, settings.groups) * settings.groups[1]
        self._activation = _activation(settings)
        self.Build_in_Res2Nets = nn.ModuleList(Block(width, settings) for _ in range(self._groups - 1))
        self.bns = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(self._groups - 1))
        self.bn = nn.BatchNorm1d(shape.dimension)
        self.pooling = AttentiveStatistics(shape.dimension) if settings.pooling == ASTP else Mean()
        self.fc = head(settings.head, shape.dimension * self.pooling.growth, shape.num_classes)

    def forward(self, features: Tensor) -> Tensor:
        return self.fc(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The embedding `[B, D]`, or `[B, 2 D]` of attentive pooling."""
        *groups, last = features.transpose(1, 2).chunk(self._groups, dim=1)
        outputs: list[Tensor] = []
        for group, block, norm in zip(groups, self.Build_in_Res2Nets, self.bns, strict=True):
            inputs = outputs[-1] + group if outputs else group
            outputs.append(norm(self._activation(block(inputs))))
        return self.pooling(self._activation(self.bn(torch.cat((*outputs, last), dim=1))))


class Block(nn.Module):
    """A residual block of `[B, C, F]`: a chain over parts of the channels, and squeeze-excitation."""

    def __init__(self, channels: int, settings: Nes2NetSettings) -> None:
        super().__init__()
        self._parts, self._is_x = settings.groups[1], settings.form == X
        self._activation = _activation(settings)
        width, later = channels // self._parts, range(self._parts - 1)
        self.conv1, self.bn1 = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        convolution, norm = _layers(width, settings.dilation, self._is_x)
        self.convs, self.bns = (nn.ModuleList(layer() for _ in later) for layer in (convolution, norm))
        if self._is_x:
            sizes = [step + 2 for step in later]
            self.weighted_sum = nn.ParameterList(nn.Parameter(torch.full((1, 1, 1, n), 1 / n)) for n in sizes)
        self.conv3, self.bn3 = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        self.se = SqueezeExcitation(channels, settings.se_ratio)

    def forward(self, inputs: Tensor) -> Tensor:
        parts = self.bn1(self._activation(self.conv1(inputs))).chunk(self._parts, dim=1)
        outputs = self._nested(parts) if self._is_x else self._chained(parts)
        joined = torch.cat((*outputs, parts[-1]), dim=1)
        return self.se(self.bn3(self._activation(self.conv3(joined)))) + inputs

    def _chained(self, parts: tuple[Tensor, ...]) -> list[Tensor]:
        """Each part is convolved together with the output of the part before it."""
        outputs: list[Tensor] = []
        for step, part in enumerate(parts[:-1]):
            outputs.append(self._step(step, outputs[-1] + part if outputs else part))
        return outputs

    def _nested(self, parts: tuple[Tensor, ...]) -> list[Tensor]:
        """Parts are collected on another axis and convolved in each step; an output is a learned sum over the axis."""
        outputs, collected = [], parts[-1].unsqueeze(3)
        for step, part in enumerate(parts[:-1]):
            collected = self._step(step, torch.cat((collected, part.unsqueeze(3)), dim=3))
            outputs.append((collected * self.weighted_sum[step]).sum(dim=3))
        return outputs

    def _step(self, step: int, inputs: Tensor) -> Tensor:
        return self.bns[step](self._activation(self.convs[step](inputs)))


class SqueezeExcitation(nn.Module):
    """Scales the channels of `[B, C, F]` by gates that depend on their means over time."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        bottleneck = max(LEAST_BOTTLENECK, channels // ratio)
        self.se = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Conv1d(channels, bottleneck, 1), nn.ReLU(),
            nn.Conv1d(bottleneck, channels, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        return image * self.se(image)


class Mean(nn.Module):
    """`[B, C, F]` -> the mean over time `[B, C]`."""

    growth = 1

    def forward(self, image: Tensor) -> Tensor:
        return image.mean(dim=2)


class AttentiveStatistics(nn.Module):
    """`[B, C, F]` -> mean and standard deviation over time `[B, 2 C]`, weighted by an attention for each channel."""

    growth = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Conv1d(channels, ATTENTION, 1)
        self.linear2 = nn.Conv1d(ATTENTION, channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        weights = self.linear2(torch.tanh(self.linear1(image))).softmax(dim=2)
        mean = (weights * image).sum(dim=2)
        variance = (weights * image.square()).sum(dim=2) - mean.square()
        return torch.cat((mean, variance.clamp_min(VARIANCE_FLOOR).sqrt()), dim=1)


def _layers(width: int, dilation: int, is_x: bool) -> tuple[Callable[[], nn.Module], Callable[[], nn.Module]]:
    """Convolution over time and normalization of `[B, C, F]`, or of `[B, C, F, N]` with the same weights for all N."""
    if is_x:
        return (
            lambda: nn.Conv2d(width, width, (KERNEL_SIZE, 1), padding=(dilation, 0), dilation=(dilation, 1)),
            lambda: nn.BatchNorm2d(width),
        )
    return (
        lambda: nn.Conv1d(width, width, KERNEL_SIZE, padding=dilation, dilation=dilation),
        lambda: nn.BatchNorm1d(width),
    )


def _activation(settings: Nes2NetSettings) -> Activation:
    return F.selu if settings.activation == SELU else F.relu


def _width(dimension: int, groups: tuple[int, int]) -> int:
    """Channels of an inner part. Raises ValueError if the features cannot be divided equally."""
    width, rest = divmod(dimension, groups[0] * groups[1])
    if rest or not width:
        raise ValueError(
            f"nes2net divides features into {groups[0]} x {groups[1]} parts, but the front-end has {dimension}; "
            f"change `groups` to numbers whose product divides it"
        )
    return width
