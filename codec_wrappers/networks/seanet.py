"""AcademiCodec's class SoundStream: EnCodec's SEANet (Défossez et al. 2022), not causal."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.networks.codebooks import AveragedCodebook, Codebook
from codec_wrappers.networks.quantizers import ResidualQuantizer
from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d

KERNEL = 7


class SeaNet(nn.Module):
    """Convolutions and LSTMs with reflected edges, around a residual quantizer."""

    def __init__(self, channels: int, strides: Sequence[int], dimension: int, quantizer: "Quantizer") -> None:
        super().__init__()
        widths = [channels << stage for stage in range(len(strides) + 1)]
        self.encoder = nn.ModuleDict({"model": nn.Sequential(*_encoder(widths, strides, dimension))})
        self.decoder = nn.ModuleDict({"model": nn.Sequential(*_decoder(widths[::-1], strides[::-1], dimension))})
        self.quantizer = quantizer


class Quantizer(ResidualQuantizer):
    """Codebooks updated by moving averages; the published weights have more than one bit rate uses."""

    def __init__(
        self, num_quantizers: int, num_codebooks: int, codebook_size: int, dimension: int, decay: float
    ) -> None:
        super().__init__()
        layers = nn.ModuleList(
            nn.ModuleDict({"_codebook": _CodebookTensors(codebook_size, dimension)}) for _ in range(num_codebooks)
        )
        self.vq = nn.ModuleDict({"layers": layers})
        self.num_quantizers = num_quantizers
        self.decay = decay

    def stages(self) -> list[list[Codebook]]:
        layers: Any = self.vq["layers"]
        books = [layer["_codebook"] for layer in layers[: self.num_quantizers]]
        return [
            [AveragedCodebook(tensors.embed, tensors.cluster_size, self.decay, tensors.embed_avg)] for tensors in books
        ]


class _CodebookTensors(nn.Module):
    def __init__(self, codebook_size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("inited", torch.ones(1))  # only the published class reads it
        self.register_buffer("cluster_size", torch.zeros(codebook_size))
        self.register_buffer("embed", torch.randn(codebook_size, dimension))
        self.register_buffer("embed_avg", torch.zeros(codebook_size, dimension))


def _encoder(widths: Sequence[int], strides: Sequence[int], dimension: int) -> list[nn.Module]:
    layers: list[nn.Module] = [Conv(1, widths[0], KERNEL)]
    for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True):
        layers += [_ResidualBlock(inputs), nn.ELU(), Conv(inputs, outputs, 2 * stride, stride)]
    return [*layers, _Lstm(widths[-1]), nn.ELU(), Conv(widths[-1], dimension, KERNEL)]


def _decoder(widths: Sequence[int], strides: Sequence[int], dimension: int) -> list[nn.Module]:
    layers: list[nn.Module] = [Conv(dimension, widths[0], KERNEL), _Lstm(widths[0])]
    for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True):
        layers += [nn.ELU(), ConvTranspose(inputs, outputs, stride), _ResidualBlock(outputs)]
    return [*layers, nn.ELU(), Conv(widths[-1], 1, KERNEL)]


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 2
        self.block = nn.Sequential(nn.ELU(), Conv(channels, narrow, 3), nn.ELU(), Conv(narrow, channels, 1))
        self.shortcut = Conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)


class _Lstm(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, num_layers=2)

    def forward(self, x: Tensor) -> Tensor:
        y, _ = self.lstm(x.permute(2, 0, 1))
        return x + y.permute(1, 2, 0)


class Conv(nn.Module):
    """ceil(T / stride) outputs for T inputs; mirrors the edges."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.ModuleDict({"conv": NormedConv1d(inputs, outputs, kernel, stride=stride)})
        self.stride = stride
        self.context = kernel - stride

    def forward(self, x: Tensor) -> Tensor:
        right = self.context // 2
        to_grid = -x.shape[-1] % self.stride
        return self.conv["conv"](_reflect(x, self.context - right, right + to_grid))


class ConvTranspose(nn.Module):
    """Exactly `stride` outputs per input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convtr = nn.ModuleDict({"convtr": NormedConvTranspose1d(inputs, outputs, 2 * stride, stride=stride)})
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        right = self.stride // 2
        y = self.convtr["convtr"](x)
        return y[..., self.stride - right : y.shape[-1] - right]


def _reflect(x: Tensor, before: int, after: int) -> Tensor:
    """Mirror both ends; first pad an input that is too short for this with zeros."""
    missing = max(0, max(before, after) + 1 - x.shape[-1])
    padded = F.pad(F.pad(x, (0, missing)), (before, after), mode="reflect")
    return padded[..., : padded.shape[-1] - missing]
