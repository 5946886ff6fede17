"""Convolutions whose weight is stored as a length `weight_g` and a direction `weight_v` (Salimans & Kingma 2016).

Published codec checkpoints use these two names; torch's parametrizations would save others.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


class NormedConv1d(nn.Conv1d):
    """`nn.Conv1d` with a normed weight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(x, _weight(self), self.bias, self.stride, self.padding, self.dilation, self.groups)


class NormedConvTranspose1d(nn.ConvTranspose1d):
    """`nn.ConvTranspose1d` with a normed weight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _split_weight(self)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return F.conv_transpose1d(
            x, _weight(self), self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


def _split_weight(convolution: nn.Module) -> None:
    weight = convolution.weight.detach()
    del convolution.weight
    convolution.weight_g = nn.Parameter(_length(weight))
    convolution.weight_v = nn.Parameter(weight.clone())


def _weight(convolution: nn.Module) -> Tensor:
    return convolution.weight_v * (convolution.weight_g / _length(convolution.weight_v))


def _length(weight: Tensor) -> Tensor:
    return weight.norm(dim=(1, 2), keepdim=True)
