"""The vocoder of AudioDec v1 (Wu et al. 2023): a causal HiFi-GAN generator with grouped convolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec_wrappers.networks.causal import CausalConv1d, CausalConvTranspose1d
from codec_wrappers.networks.weight_norm import NormedConv1d, NormedConvTranspose1d

KERNEL = 7
BLOCK_KERNEL = 11
DILATIONS = (1, 3, 5)
GROUPS = 3
SLOPE = 0.1


class Vocoder(nn.Module):
    """Waveform `[B, 1, T]` of a latent `[B, D, F]`; the channels halve at each stride.

    `mean` and `scale` are the statistics of the training latents; 0 and 1 until a checkpoint sets them.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, dimension: int, channels: int, strides: Sequence[int]) -> None:
        super().__init__()
        widths = [channels >> stage for stage in range(len(strides) + 1)]
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("scale", torch.ones(dimension))
        self.input_conv = CausalConv1d(dimension, channels, KERNEL, layer=NormedConv1d)
        self.upsamples = nn.ModuleList(
            CausalConvTranspose1d(*sizes, layer=NormedConvTranspose1d)
            for sizes in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.blocks = nn.ModuleList(_GroupBlock(width) for width in widths[1:])
        self.output_conv = CausalConv1d(widths[-1], 1, KERNEL, layer=NormedConv1d)

    @torch.no_grad()
    def take_statistics(self, latents: Tensor) -> None:
        """Set `mean` and `scale` to those of latents `[B, D, F]`; a channel that never changes keeps its scale."""
        self.mean.copy_(latents.mean(dim=(0, 2)))
        spread = latents.std(dim=(0, 2), correction=0)
        self.scale.copy_(torch.where(spread > 0, spread, torch.ones_like(spread)))

    def forward(self, latent: Tensor) -> Tensor:
        x = self.input_conv((latent - self.mean[:, None]) / self.scale[:, None])
        for upsample, block in zip(self.upsamples, self.blocks, strict=True):
            x = block(upsample(F.leaky_relu(x, SLOPE)))
        return torch.tanh(self.output_conv(F.leaky_relu(x)))  # with torch's slope, 0.01, as published


class _GroupBlock(nn.Module):
    """HiFi-GAN's parallel residual blocks as the groups of one block; each group sees a copy of the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = channels * GROUPS
        self.convs1 = nn.ModuleList(_group_conv(wide, dilation) for dilation in DILATIONS)
        self.convs2 = nn.ModuleList(_group_conv(wide, 1) for _ in DILATIONS)
        self.conv_out = NormedConv1d(wide, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x.repeat(1, GROUPS, 1)
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return self.conv_out(x)


def _group_conv(channels: int, dilation: int) -> CausalConv1d:
    return CausalConv1d(channels, channels, BLOCK_KERNEL, dilation=dilation, groups=GROUPS, layer=NormedConv1d)
