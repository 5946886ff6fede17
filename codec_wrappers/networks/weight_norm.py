"""Convolutions whose weight is stored as a length `weight_g` and a direction `weight_v` (Salimans & Kingma 2016).

Published codec checkpoints use these two names; torch's parametrizations would save others.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


class NormedConv1d(nn.Conv1d):
    """`nn.Conv1d` with a normed weight."""

    weight_g: nn.Parameter
    weight_v: nn.Parameter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, input: Tensor) -> Tensor:
        weight = _join(self.weight_g, self.weight_v)
        return F.conv1d(input, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class NormedConvTranspose1d(nn.ConvTranspose1d):
    """`nn.ConvTranspose1d` with a normed weight."""

    weight_g: nn.Parameter
    weight_v: nn.Parameter
    padding: tuple[int, ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        weight = _join(self.weight_g, self.weight_v)
        return F.conv_transpose1d(input, weight, self.bias, self.stride, self.padding)


def _split_weight(convolution: NormedConv1d | NormedConvTranspose1d) -> None:
    weight = convolution.weight.detach()
    del convolution.weight
    convolution.weight_g = nn.Parameter(length(weight))
    convolution.weight_v = nn.Parameter(weight)


def _join(weight_g: Tensor, weight_v: Tensor) -> Tensor:
    return weight_v * (weight_g / length(weight_v))


def length(weight: Tensor) -> Tensor:
    """The norm of a weight over all axes but the first, `[C, 1, 1]`."""
    return weight.norm(dim=(1, 2), keepdim=True)
