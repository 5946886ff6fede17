"""Discriminators of waveforms with variable widths: HiFi-GAN's, and SoundStream's, which follows MelGAN's."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from codec_wrappers.training.discriminator_settings import PeriodSettings, ScaleSettings, WaveSettings
from codec_wrappers.training.discriminators.discriminator import Discriminator, Judgment


class _Stack(nn.Module):
    """Convolutions with leaky ReLUs between them, whose outputs are the feature maps; the last gives the logits."""

    def __init__(self, layers: Sequence[nn.Module], slope: float, match_logits: bool) -> None:
        super().__init__()
        self.layers, self.last = nn.ModuleList(layers[:-1]), layers[-1]
        self._slope, self._match_logits = slope, match_logits

    def forward(self, features: Tensor) -> Judgment:
        maps = []
        for layer in self.layers:
            features = F.leaky_relu(layer(features), self._slope)
            maps.append(features)
        logits = self.last(features)
        return logits, [*maps, logits] if self._match_logits else maps


class PeriodDiscriminators(Discriminator):
    """HiFi-GAN's multi-period discriminator (Kong et al. 2020, section 2.3): it folds the wav into columns."""

    def __init__(self, settings: PeriodSettings) -> None:
        super().__init__()
        self.peak, self.periods = settings.peak, settings.periods
        self.stacks = nn.ModuleList(_period_stack(settings) for _ in settings.periods)

    def judge(self, wav: Tensor) -> list[Judgment]:
        return [stack(_fold(wav, period)) for stack, period in zip(self.stacks, self.periods, strict=True)]


def _period_stack(settings: PeriodSettings) -> _Stack:
    widths = [1, *(settings.channels * times for times in (1, 4, 16, 32, 32))]
    strides = (3, 3, 3, 3, 1)
    layers = [
        weight_norm(nn.Conv2d(before, after, (5, 1), (stride, 1), padding=(2, 0)))
        for before, after, stride in zip(widths, widths[1:], strides, strict=False)
    ]
    return _Stack([*layers, weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))], 0.1, settings.match_logits)


def _fold(wav: Tensor, period: int) -> Tensor:
    """`[B, T] -> [B, 1, T / period, period]`; reflection extends T to a multiple of the period."""
    missing = -wav.shape[1] % period
    return F.pad(wav, (0, missing), "reflect").unflatten(1, (-1, period))[:, None]


class ScaleDiscriminators(Discriminator):
    """The first stack judges the wav, the others its averages over 2, 4, … samples."""

    def __init__(self, stacks: Sequence[_Stack], peak: float | None) -> None:
        super().__init__()
        self.peak = peak
        self.stacks = nn.ModuleList(stacks)
        self.halve = nn.AvgPool1d(4, 2, padding=2)

    def judge(self, wav: Tensor) -> list[Judgment]:
        judgments, wav = [], wav[:, None]
        for stack in self.stacks:
            judgments.append(stack(wav))
            wav = self.halve(wav)
        return judgments


def hifigan_scales(settings: ScaleSettings) -> Discriminator:
    """HiFi-GAN's multi-scale discriminator (Kong et al. 2020, section 2.3), with at most as many groups as channels."""
    norms: list[Callable[..., nn.Module]] = [spectral_norm, *[weight_norm] * (settings.scales - 1)]
    widths = [1, *(settings.channels * times for times in (1, 1, 2, 4, 8, 8, 8)), 1]
    shapes = ((15, 1, 1), (41, 2, 4), (41, 2, 16), (41, 4, 16), (41, 4, 16), (41, 1, 16), (5, 1, 1), (3, 1, 1))
    stacks = [_Stack(_conv_layers(widths, shapes, norm), 0.1, match_logits=True) for norm in norms]
    return ScaleDiscriminators(stacks, settings.peak)


def soundstream_waves(settings: WaveSettings) -> Discriminator:
    """SoundStream's wave-based discriminator (Zeghidour et al. 2021, section III-D), after MelGAN's."""
    inner = [min(settings.most, settings.channels * 4**power) for power in range(5)]
    widths = [1, *inner, inner[-1], 1]
    strided = [(41, 4, max(1, width // 4)) for width in inner[:-1]]
    shapes = ((15, 1, 1), *strided, (5, 1, 1), (3, 1, 1))
    stacks = [
        _Stack(_conv_layers(widths, shapes, weight_norm), 0.2, match_logits=False) for _ in range(settings.scales)
    ]
    return ScaleDiscriminators(stacks, settings.peak)


def _conv_layers(
    widths: Sequence[int], shapes: Sequence[tuple[int, int, int]], norm: Callable[..., nn.Module]
) -> list[nn.Module]:
    """Normed convolutions of (kernel, stride, groups)."""
    return [
        norm(nn.Conv1d(before, after, kernel, stride, kernel // 2, groups=min(groups, before)))
        for before, after, (kernel, stride, groups) in zip(widths, widths[1:], shapes, strict=False)
    ]
