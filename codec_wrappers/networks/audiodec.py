"""The symmetric autoencoder of AudioDec (Wu et al. 2023): causal convolutions around a residual quantizer."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from codec_wrappers.networks.causal import CausalConv1d, CausalConvTranspose1d
from codec_wrappers.networks.codebooks import AveragedCodebook, Codebook
from codec_wrappers.networks.quantizers import ResidualQuantizer

KERNEL = 7
DILATIONS = (1, 3, 9)


class Autoencoder(nn.Module):
    """Encoder, projector and quantizer; and a symmetric decoder, unless a vocoder replaces it."""

    def __init__(
        self,
        channels: int,
        ratios: Sequence[int],
        strides: Sequence[int],
        dimension: int,
        quantizer: "Quantizer",
        symmetric_decoder: bool,
    ) -> None:
        super().__init__()
        self._decoder_sizes = (dimension, channels, ratios[::-1], strides[::-1])
        self.encoder = Encoder(channels, ratios, strides)
        self.projector = nn.ModuleDict({"project": CausalConv1d(channels * ratios[-1], dimension, 3, bias=False)})
        self.quantizer = quantizer
        self.decoder: Decoder | None = None
        if symmetric_decoder:
            self.add_decoder()

    def add_decoder(self) -> "Decoder":
        """Add a symmetric decoder with fresh weights."""
        self.decoder = Decoder(*self._decoder_sizes)
        return self.decoder

    def to_latent(self, wav: Tensor) -> Tensor:
        """Latent `[B, D, F]` of wav `[B, T]`: F = T / hop, rounded up."""
        return self.projector["project"](self.encoder(wav[:, None]))

    def decode(self, latent: Tensor) -> Tensor:
        """Waveform `[B, 1, hop · F]` of a quantized latent `[B, D, F]`."""
        assert self.decoder is not None, "this autoencoder has no decoder of its own; the vocoder decodes"
        return self.decoder(latent)


class Encoder(nn.Module):
    """`[B, 1, T]` to `[B, C, F]`; stage i ends with channels · ratios[i]."""

    def __init__(self, channels: int, ratios: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        widths = [channels] + [channels * ratio for ratio in ratios]
        self.conv = CausalConv1d(1, channels, KERNEL, bias=False)
        self.conv_blocks = nn.Sequential(
            *(_Down(*sizes) for sizes in zip(widths[:-1], widths[1:], strides, strict=True))
        )

    def forward(self, wav: Tensor) -> Tensor:
        return self.conv_blocks(self.conv(wav))


class Decoder(nn.Module):
    """`[B, D, F]` to `[B, 1, T]`, the mirror of `Encoder`."""

    def __init__(self, dimension: int, channels: int, ratios: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        widths = [channels * ratio for ratio in ratios] + [channels]
        self.conv1 = CausalConv1d(dimension, widths[0], KERNEL, bias=False)
        self.conv_blocks = nn.Sequential(*(_Up(*sizes) for sizes in zip(widths[:-1], widths[1:], strides, strict=True)))
        self.conv2 = CausalConv1d(channels, 1, KERNEL, bias=False)

    def forward(self, latent: Tensor) -> Tensor:
        return self.conv2(self.conv_blocks(self.conv1(latent)))


class Quantizer(ResidualQuantizer):
    """Codebooks updated by moving averages; AudioDec stores them transposed, `embed` `[D, N]`."""

    def __init__(self, num_quantizers: int, codebook_size: int, dimension: int, decay: float) -> None:
        super().__init__()
        layers = nn.ModuleList(_CodebookTensors(codebook_size, dimension) for _ in range(num_quantizers))
        self.codebook = nn.ModuleDict({"layers": layers})
        self.decay = decay

    def stages(self) -> list[list[Codebook]]:
        layers: Any = self.codebook["layers"]
        return [
            [AveragedCodebook(layer.embed.T, layer.cluster_size, self.decay, layer.embed_avg.T)] for layer in layers
        ]


class _CodebookTensors(nn.Module):
    def __init__(self, codebook_size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("embed", torch.randn(dimension, codebook_size))
        self.register_buffer("embed_avg", torch.zeros(dimension, codebook_size))
        self.register_buffer("cluster_size", torch.zeros(codebook_size))


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.res_units = _residual_units(inputs)
        self.conv = CausalConv1d(inputs, outputs, 2 * stride, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.res_units(x))


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = CausalConvTranspose1d(inputs, outputs, stride)
        self.res_units = _residual_units(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.res_units(self.conv(x))


class _ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = CausalConv1d(channels, channels, KERNEL, dilation=dilation, bias=False)
        self.conv2 = nn.Conv1d(channels, channels, 1, bias=False)
        self.activation = nn.ELU()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.activation(self.conv1(self.activation(x))))


def _residual_units(channels: int) -> nn.Sequential:
    return nn.Sequential(*(_ResidualUnit(channels, dilation) for dilation in DILATIONS))
