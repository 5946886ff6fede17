"""LCNN: a light convolutional network with max feature maps, as in Xie et al. 2025.

Its state has the key names of the published Mel-LCNN and W2V2-LCNN checkpoints, whose class order is the
reverse of ours: bona fide 0, spoof 1. Swap the rows of `fc_mu` when importing one.
"""

from typing import Any

import torch
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.back_end_settings import LcnnSettings
from codecfake.detectors.heads import head

DROPOUT = 0.7


class MaxFeatureMap(nn.Module):
    """The larger of the first and the second half of the channels."""

    def forward(self, x: Tensor) -> Tensor:
        return _HalvesMaximum.apply(x)


class _HalvesMaximum(torch.autograd.Function):
    # Same as torch.maximum of the halves, whose gradient makes seven passes over the largest tensors of the
    # network, which took half of the training time; this one makes three. Ties go to the first half.

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1)
        ctx.save_for_backward(first >= second)
        return torch.maximum(first, second)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (first_won,) = ctx.saved_tensors
        first = gradient * first_won
        return torch.cat((first, gradient - first), dim=1)


class Lcnn(nn.Module):
    """Features `[B, F, D]` -> logits `[B, 2]`.

    The published Mel-LCNN sees images of frames by bands, W2V2-LCNN images of features by frames.
    """

    def __init__(self, shape: FeatureShape, settings: LcnnSettings) -> None:
        super().__init__()
        self._frames_first = shape.frames_first
        c32, c48, c64, hidden, embedding = (max(1, round(n * settings.width)) for n in (32, 48, 64, 80, 256))
        self.conv1 = nn.Sequential(*_conv(1, c32, 5), nn.MaxPool2d(2))
        self.conv2 = nn.Sequential(*_conv(c32, c32, 1), _norm(c32))
        self.conv3 = nn.Sequential(*_conv(c32, c48, 3), nn.MaxPool2d(2), _norm(c48))
        self.conv4 = nn.Sequential(*_conv(c48, c48, 1), _norm(c48))
        self.conv5 = nn.Sequential(*_conv(c48, c64, 3), nn.MaxPool2d(2))
        self.conv6 = nn.Sequential(*_conv(c64, c64, 1), _norm(c64))
        self.conv7 = nn.Sequential(*_conv(c64, c32, 3), _norm(c32))
        self.conv8 = nn.Sequential(*_conv(c32, c32, 1), _norm(c32))
        self.conv9 = nn.Sequential(*_conv(c32, c32, 3), nn.MaxPool2d(2))
        flat = c32 * _pooled(shape.num_frames) * _pooled(shape.dimension)
        self.out = nn.Sequential(
            nn.Dropout(DROPOUT), nn.Linear(flat, 2 * hidden), MaxFeatureMap(), nn.Linear(hidden, embedding)
        )
        self.fc_mu = head(settings.head, embedding, shape.num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # same numbers, faster

    def forward(self, features: Tensor) -> Tensor:
        return self.fc_mu(self.embed(features))

    def embed(self, features: Tensor) -> Tensor:
        """The embedding `[B, 256]` (at width 1) that the last layer reads."""
        x = (features if self._frames_first else features.transpose(1, 2)).unsqueeze(1)
        for block in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6, self.conv7, self.conv8):
            x = block(x)
        return self.out(self.conv9(x).flatten(1))


def _conv(inputs: int, outputs: int, kernel: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, 2 * outputs, kernel, padding=kernel // 2), MaxFeatureMap()


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=False)


def _pooled(length: int) -> int:
    """Length of an image side after the four halvings. Raises ValueError if nothing is left."""
    if length < 16:
        raise ValueError(f"lcnn halves its image four times, but one side has {length} points; 16 are needed")
    return length // 16
