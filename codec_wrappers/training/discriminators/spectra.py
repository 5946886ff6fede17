"""Discriminators of short-time spectra: SoundStream's, DAC's, EnCodec's and FunCodec's.

The first two implement their papers, with variable widths; the others come from the authors' packages.
Wavs that are too short for a discriminator are padded with zeros.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from codec_wrappers.training.discriminator_settings import BandSettings, SpectrumSettings, StftSettings
from codec_wrappers.training.discriminators.discriminator import Discriminator, Judgment


class SpectrumDiscriminator(Discriminator):
    """SoundStream's STFT discriminator (Zeghidour et al. 2021, figure 4): residual units over time and frequency."""

    window: Tensor
    UNITS = ((2, 1, 2), (2, 2, 2), (1, 1, 2), (2, 2, 2), (1, 1, 2), (2, 2, 2))  # widening, strides of time, frequency
    LEAST_FRAMES = 8  # the strides reduce them to one

    def __init__(self, settings: SpectrumSettings) -> None:
        super().__init__()
        self.peak, self.hop, width = settings.peak, settings.hop, settings.channels
        self.register_buffer("window", torch.hann_window(settings.window), persistent=False)
        self.first = weight_norm(nn.Conv2d(2, width, 7, padding=3))
        units = []
        for widening, *strides in self.UNITS:
            units.append(_ResidualUnit(width, widening * width, strides[0], strides[1]))
            width *= widening
        self.units = nn.ModuleList(units)
        self.last = weight_norm(nn.Conv2d(width, 1, (1, settings.window // 2 // 64)))

    def judge(self, wav: Tensor) -> list[Judgment]:
        size = len(self.window)
        wav = _at_least(wav, max(size, self.LEAST_FRAMES * self.hop))
        spectrum = torch.stft(wav, size, self.hop, window=self.window, return_complex=True) / math.sqrt(size)
        features = F.elu(self.first(_image(spectrum)[..., : size // 2]))
        maps = [features]
        for unit in self.units:
            features = unit(features)
            maps.append(features)
        return [(self.last(features), maps)]


class _ResidualUnit(nn.Module):
    def __init__(self, before: int, after: int, time: int, frequency: int) -> None:
        super().__init__()
        self.first = weight_norm(nn.Conv2d(before, before, 3, padding=1))
        kernel, strides = (time + 2, frequency + 2), (time, frequency)
        self.second = weight_norm(nn.Conv2d(before, after, kernel, strides, padding=1))
        self.shortcut = weight_norm(nn.Conv2d(before, after, 1, strides))

    def forward(self, features: Tensor) -> Tensor:
        inner = self.second(F.elu(self.first(features)))
        return F.elu(inner + self.shortcut(features)[:, :, : inner.shape[2], : inner.shape[3]])


class BandDiscriminators(Discriminator):
    """DAC's multi-band, multi-scale STFT discriminator (Kumar et al. 2023): one stack per band."""

    def __init__(self, settings: BandSettings) -> None:
        super().__init__()
        self.peak = settings.peak
        self.scales = nn.ModuleList(_BandScale(settings, window) for window in settings.windows)

    def judge(self, wav: Tensor) -> list[Judgment]:
        return [scale(wav) for scale in self.scales]


class _BandScale(nn.Module):
    window: Tensor
    SHAPES = ((9, 1), (9, 2), (9, 2), (9, 2), (3, 1))  # kernels and strides of frequency

    def __init__(self, settings: BandSettings, window: int) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        edges = [int(edge * (window // 2 + 1)) for edge in settings.edges]
        self._bands = list(zip(edges, edges[1:], strict=False))
        self.stacks = nn.ModuleList(nn.ModuleList(self._layers(settings.channels)) for _ in self._bands)
        self.last = weight_norm(nn.Conv2d(settings.channels, 1, 3, padding=1))

    def forward(self, wav: Tensor) -> Judgment:
        image = _image(self._spectrum(wav))
        maps, ends = [], []
        for stack, (low, high) in zip(self.stacks, self._bands, strict=True):
            features = image[..., low:high]
            for layer in stack:  # type: ignore[attr-defined]
                features = F.leaky_relu(layer(features), 0.1)
                maps.append(features)
            ends.append(features)
        return self.last(torch.cat(ends, dim=-1)), maps

    def _spectrum(self, wav: Tensor) -> Tensor:
        """T / hop frames, each in the middle of its hop."""
        size = len(self.window)
        hop = size // 4
        wav = _at_least(wav, size)
        side = (size - hop) // 2
        padded = F.pad(wav, (side, side + -wav.shape[1] % hop), "reflect")
        return torch.stft(padded, size, hop, window=self.window, center=False, return_complex=True)

    def _layers(self, channels: int) -> list[nn.Module]:
        widths = [2, *[channels] * len(self.SHAPES)]
        return [
            weight_norm(nn.Conv2d(before, after, (3, kernel), (1, stride), padding=(1, kernel // 2)))
            for before, after, (kernel, stride) in zip(widths, widths[1:], self.SHAPES, strict=False)
        ]


class StftDiscriminators(Discriminator):
    """EnCodec's multi-scale STFT discriminator (Défossez et al. 2022, section 3.4), from the package `encodec`."""

    def __init__(self, settings: StftSettings) -> None:
        from encodec.msstftd import MultiScaleSTFTDiscriminator

        super().__init__()
        self.peak, self._longest = settings.peak, max(settings.windows)
        self.scales = _packaged(MultiScaleSTFTDiscriminator, settings)

    def judge(self, wav: Tensor) -> list[Judgment]:
        logits, maps = self.scales(_at_least(wav, self._longest)[:, None])
        return list(zip(logits, maps, strict=True))


class PooledStftDiscriminators(Discriminator):
    """FunCodec's variant of EnCodec's, from the package `funcodec`: it averages neighboring logits."""

    def __init__(self, settings: StftSettings) -> None:
        from funcodec.models.discriminator.encodec_disc import MultiScaleSTFTDiscriminator

        super().__init__()
        self.peak, self._least = settings.peak, 2 * max(settings.windows)  # five frames; two are pooled at least
        self.scales = _packaged(MultiScaleSTFTDiscriminator, settings)

    def judge(self, wav: Tensor) -> list[Judgment]:
        return self.scales(_at_least(wav, self._least)[:, None])


def _packaged(kind: Callable[..., nn.Module], settings: StftSettings) -> nn.Module:
    windows = list(settings.windows)
    return kind(
        settings.filters,
        n_ffts=windows,
        win_lengths=windows,
        hop_lengths=[window // 4 for window in windows],
        activation_params={"negative_slope": settings.slope},
    )


def _image(spectrum: Tensor) -> Tensor:
    """`[B, M, F] -> [B, 2, F, M]`: real and imaginary parts as channels."""
    return torch.stack([spectrum.real, spectrum.imag], dim=1).transpose(2, 3)


def _at_least(wav: Tensor, length: int) -> Tensor:
    return F.pad(wav, (0, max(0, length - wav.shape[1])))
