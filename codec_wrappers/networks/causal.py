"""Causal convolutions with AudioDec's padding."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CausalConv1d(nn.Module):
    """A convolution with zeros before the input: output frame i sees inputs up to i · stride."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        layer: type[nn.Conv1d] = nn.Conv1d,
    ) -> None:
        super().__init__()
        self.conv = layer(inputs, outputs, kernel, stride=stride, dilation=dilation, groups=groups, bias=bias)
        self.past = (kernel - 1) * dilation

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (self.past, 0)))


class CausalConvTranspose1d(nn.Module):
    """Exactly `stride` outputs per input, from that input and the one before; the first input is its own past."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, *, layer: type[nn.ConvTranspose1d] = nn.ConvTranspose1d
    ) -> None:
        super().__init__()
        self.deconv = layer(inputs, outputs, 2 * stride, stride=stride)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        with_past = torch.cat([x[..., :1], x], dim=-1)
        return self.deconv(with_past)[..., self.stride : -self.stride]
