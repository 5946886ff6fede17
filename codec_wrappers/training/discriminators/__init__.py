"""What tells recordings from codecs' outputs in adversarial training, all of one shape: wav to logits and features."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from codec_wrappers.training.discriminators.discriminator import Discriminator, Judgment
from codec_wrappers.training.discriminators.spectra import (
    BandDiscriminators,
    BandSettings,
    PooledStftDiscriminators,
    SpectrumDiscriminator,
    SpectrumSettings,
    StftDiscriminators,
    StftSettings,
)
from codec_wrappers.training.discriminators.waves import (
    PeriodDiscriminators,
    PeriodSettings,
    ScaleSettings,
    WaveSettings,
    hifigan_scales,
    soundstream_waves,
)
from codecfake.base import settings
from codecfake.base.settings import SettingsError

__all__ = ["DISCRIMINATORS", "Discriminator", "Judgment", "build"]

DISCRIMINATORS: dict[str, tuple[type, Callable[[Any], Discriminator]]] = {
    "periods": (PeriodSettings, PeriodDiscriminators),
    "scales": (ScaleSettings, hifigan_scales),
    "waves": (WaveSettings, soundstream_waves),
    "spectrum": (SpectrumSettings, SpectrumDiscriminator),
    "bands": (BandSettings, BandDiscriminators),
    "stft": (StftSettings, StftDiscriminators),
    "pooled_stft": (StftSettings, PooledStftDiscriminators),
}


def build(named: Mapping[str, Mapping[str, Any] | None]) -> nn.ModuleDict:
    """The discriminators of these names with these settings; those whose settings are None are left out.

    Raises SettingsError if a name or a setting is not known.
    """
    unknown = sorted(set(named) - set(DISCRIMINATORS))
    if unknown:
        raise SettingsError(f"unknown discriminator {unknown[0]!r}; known: {', '.join(DISCRIMINATORS)}")
    chosen = {name: values for name, values in named.items() if values is not None}
    return nn.ModuleDict({name: _build(*DISCRIMINATORS[name], values) for name, values in chosen.items()})


def _build(kind: type, make: Callable[[Any], Discriminator], values: Mapping[str, Any]) -> Discriminator:
    return make(settings.build(kind, values))
