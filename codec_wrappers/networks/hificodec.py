"""HiFi-Codec (Yang et al. 2023): a HiFi-GAN generator, an encoder that mirrors it, and a group-residual quantizer.

The generator averages the residual blocks of a stage; the encoder chains them and normalizes after each.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.networks.codebooks import Codebook, TrainedCodebook
from codec_wrappers.networks.quantizers import ResidualQuantizer
from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d

SLOPE = 0.1
CHANNELS_PER_NORM_GROUP = 16
USE_DECAY = 0.9  # of the averages that show dead codes; the vectors are trained by gradient


class HifiCodec(nn.Module):
    """The three networks of a published checkpoint."""

    def __init__(
        self,
        channels: int,
        strides: Sequence[int],
        kernels: Sequence[int],
        dilations: Sequence[int],
        groups: int,
        codebook_size: int,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(channels, strides, kernels, dilations)
        self.quantizer = Quantizer(channels, groups, codebook_size)
        self.generator = Generator(channels, strides[::-1], kernels, dilations)


class Encoder(nn.Module):
    """Latent `[B, channels, F]` of wav `[B, 1, T]`, F = floor(T / hop); widths double up to `channels`.

    Group norms run over time: every frame depends on the whole utterance.
    """

    def __init__(self, channels: int, strides: Sequence[int], kernels: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        widths = [channels >> stage for stage in range(len(strides), -1, -1)]
        self.num_kernels = len(kernels)
        self.conv_pre = NormedConv1d(1, widths[0], 7, padding=3)
        self.ups = nn.ModuleList(
            NormedConv1d(inputs, outputs, _kernel(stride), stride=stride, padding=_padding(stride))
            for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.resblocks = _residual_blocks(widths[1:], kernels[::-1], dilations)
        self.normalize = nn.ModuleList(_norm(width) for width in widths[1:] for _ in kernels)
        self.conv_post = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, wav: Tensor) -> Tensor:
        x = self.conv_pre(wav)
        for stage, down in enumerate(self.ups):
            x = self._residual(stage, down(F.leaky_relu(x, SLOPE)))
        return self.conv_post(F.leaky_relu(x))  # with torch's slope, 0.01, as published; the generator differs

    def _residual(self, stage: int, x: Tensor) -> Tensor:
        blocks = range(stage * self.num_kernels, (stage + 1) * self.num_kernels)
        total = torch.zeros_like(x)
        for index in blocks:
            total = self.normalize[index](total + self.resblocks[index](x))
        return total / self.num_kernels


class Generator(nn.Module):
    """Waveform `[B, 1, hop · F]` of a latent `[B, channels, F]`; widths halve at each stride."""

    def __init__(self, channels: int, strides: Sequence[int], kernels: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        widths = [channels >> stage for stage in range(len(strides) + 1)]
        self.num_kernels = len(kernels)
        self.conv_pre = NormedConv1d(channels, channels, 7, padding=3)
        self.ups = nn.ModuleList(
            NormedConvTranspose1d(inputs, outputs, _kernel(stride), stride=stride, padding=_padding(stride))
            for (inputs, outputs), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.resblocks = _residual_blocks(widths[1:], kernels, dilations)
        self.conv_post = NormedConv1d(widths[-1], 1, 7, padding=3)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.conv_pre(latent)
        for stage, up in enumerate(self.ups):
            x = self._residual(stage, up(F.leaky_relu(x, SLOPE)))
        return torch.tanh(self.conv_post(F.leaky_relu(x, SLOPE)))

    def _residual(self, stage: int, x: Tensor) -> Tensor:
        blocks = self.resblocks[stage * self.num_kernels : (stage + 1) * self.num_kernels]
        return torch.stack([block(x) for block in blocks]).mean(dim=0)


class Quantizer(ResidualQuantizer):
    """Two stages of embeddings that gradients train, each over all groups of the latent's channels."""

    commitment = 0.25

    def __init__(self, channels: int, groups: int, codebook_size: int) -> None:
        super().__init__()
        self.quantizer_modules, self.quantizer_modules2 = (
            nn.ModuleList(_Embedding(codebook_size, channels // groups) for _ in range(groups)) for _ in range(2)
        )

    def stages(self) -> list[list[Codebook]]:
        stages: Any = (self.quantizer_modules, self.quantizer_modules2)
        return [[TrainedCodebook(group.embedding.weight, group.use, USE_DECAY) for group in stage] for stage in stages]


class _Embedding(nn.Module):
    """One codebook; training counts its use, but does not save it: published checkpoints have no such tensor."""

    def __init__(self, codebook_size: int, dimension: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codebook_size, dimension)
        self.register_buffer("use", torch.zeros(codebook_size), persistent=False)
        self.register_load_state_dict_post_hook(_mark_as_started)


def _mark_as_started(module: Any, _: object) -> None:
    module.use.fill_(1.0)  # otherwise k-means would replace the vectors of the checkpoint


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same(channels, kernel, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(_same(channels, kernel, 1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


def _residual_blocks(widths: Sequence[int], kernels: Sequence[int], dilations: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(_ResidualBlock(width, kernel, dilations) for width in widths for kernel in kernels)


def _same(channels: int, kernel: int, dilation: int) -> NormedConv1d:
    return NormedConv1d(channels, channels, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // CHANNELS_PER_NORM_GROUP), channels, eps=1e-6)


def _kernel(stride: int) -> int:
    return 2 * stride + stride % 2  # so that kernel - stride is even


def _padding(stride: int) -> int:
    return (_kernel(stride) - stride) // 2
