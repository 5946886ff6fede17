"""SoundStream (Zeghidour et al. 2021) as in kaiidams/soundstream-pytorch, with 'same' padding."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from codec_wrappers.networks.codebooks import AveragedCodebook, Codebook
from codec_wrappers.networks.quantizers import ResidualQuantizer

KERNEL = 7
DILATIONS = (1, 3, 9)


class SoundStream(nn.Module):
    """Convolutional encoder and decoder, without weight norm, around a residual quantizer."""

    def __init__(self, channels: int, strides: Sequence[int], dimension: int, quantizer: "Quantizer") -> None:
        super().__init__()
        widths = [channels << stage for stage in range(len(strides) + 1)]
        self.encoder = _Layers(*_encoder(widths, strides, dimension))
        self.decoder = _Layers(*_decoder(widths[::-1], strides[::-1], dimension))
        self.quantizer = quantizer


class Quantizer(ResidualQuantizer):
    """Codebooks updated by moving averages, with all stages in one tensor.

    The published class also updates them in evaluation, so that the same input gets different codes each time; this
    class does not.
    """

    weight: Tensor
    running_mean: Tensor
    code_relative_frequency: Tensor

    def __init__(self, num_quantizers: int, codebook_size: int, dimension: int, decay: float) -> None:
        super().__init__()
        shape = (num_quantizers, codebook_size, dimension)
        self.register_buffer("weight", torch.randn(shape))
        self.register_buffer("running_mean", torch.zeros(shape))  # moving sums
        self.register_buffer("code_relative_frequency", torch.zeros(shape[:2]))  # moving counts
        self.decay = decay

    def stages(self) -> list[list[Codebook]]:
        return [
            [AveragedCodebook(vectors, counts, self.decay, sums)]
            for vectors, counts, sums in zip(self.weight, self.code_relative_frequency, self.running_mean, strict=True)
        ]


class _Layers(nn.Module):
    """A sequence named `layers`, as in the published checkpoints."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def _encoder(widths: Sequence[int], strides: Sequence[int], dimension: int) -> list[nn.Module]:
    stages = zip(pairwise(widths), strides, strict=True)
    return [
        _same(1, widths[0], KERNEL),
        nn.ELU(),
        *(_down(inputs, outputs, stride) for (inputs, outputs), stride in stages),
        _same(widths[-1], dimension, 3),
    ]


def _decoder(widths: Sequence[int], strides: Sequence[int], dimension: int) -> list[nn.Module]:
    stages = zip(pairwise(widths), strides, strict=True)
    return [
        _same(dimension, widths[0], KERNEL),
        nn.ELU(),
        *(_up(inputs, outputs, stride) for (inputs, outputs), stride in stages),
        _same(widths[-1], 1, KERNEL),
        nn.Tanh(),
    ]


def _down(inputs: int, outputs: int, stride: int) -> _Layers:
    shrink = nn.Conv1d(inputs, outputs, 2 * stride, stride=stride, padding=stride)
    return _Layers(*_residual_units(inputs), shrink, nn.ELU())


def _up(inputs: int, outputs: int, stride: int) -> _Layers:
    grow = nn.ConvTranspose1d(inputs, outputs, 2 * stride, stride=stride, padding=stride)
    return _Layers(grow, nn.ELU(), *_residual_units(outputs))


def _residual_units(channels: int) -> list[nn.Module]:
    return [_ResidualUnit(channels, dilation) for dilation in DILATIONS]


class _ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv0 = _same(channels, channels, KERNEL, dilation)
        self.conv1 = _same(channels, channels, 1)
        self.activation = nn.ELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(x + self.conv1(self.activation(self.conv0(x))))


def _same(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)
