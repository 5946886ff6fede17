"""Discriminators of adversarial training: from a wav to logits (recording or codec output) and feature maps."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from codec_wrappers.training import discriminator_settings
from codec_wrappers.training.discriminators.discriminator import Discriminator, Judgment
from codec_wrappers.training.discriminators.spectra import (
    BandDiscriminators,
    PooledStftDiscriminators,
    SpectrumDiscriminator,
    StftDiscriminators,
)
from codec_wrappers.training.discriminators.waves import PeriodDiscriminators, hifigan_scales, soundstream_waves

__all__ = ["DISCRIMINATORS", "Discriminator", "Judgment", "build"]

DISCRIMINATORS: dict[str, Callable[[Any], Discriminator]] = {  # each takes its class of `discriminator_settings.KINDS`
    "periods": PeriodDiscriminators,
    "scales": hifigan_scales,
    "waves": soundstream_waves,
    "spectrum": SpectrumDiscriminator,
    "bands": BandDiscriminators,
    "stft": StftDiscriminators,
    "pooled_stft": PooledStftDiscriminators,
}


def build(entries: Mapping[str, Mapping[str, Any] | None]) -> nn.ModuleDict:
    """Discriminators by name, from their settings; an entry of None turns its discriminator off.

    Raises SettingsError if a name or a setting is unknown.
    """
    return nn.ModuleDict(
        {name: DISCRIMINATORS[name](each) for name, each in discriminator_settings.read(entries).items()}
    )
