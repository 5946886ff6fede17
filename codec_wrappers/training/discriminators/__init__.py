"""What tells recordings from codecs' outputs in adversarial training, all of one shape: wav to logits and features."""

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

DISCRIMINATORS: dict[str, Callable[[Any], Discriminator]] = {  # of the settings that `discriminator_settings` names
    "periods": PeriodDiscriminators,
    "scales": hifigan_scales,
    "waves": soundstream_waves,
    "spectrum": SpectrumDiscriminator,
    "bands": BandDiscriminators,
    "stft": StftDiscriminators,
    "pooled_stft": PooledStftDiscriminators,
}


def build(named: Mapping[str, Mapping[str, Any] | None]) -> nn.ModuleDict:
    """The discriminators of these names with these settings; those whose settings are None are left out.

    Raises SettingsError if a name or a setting is not known.
    """
    return nn.ModuleDict(
        {name: DISCRIMINATORS[name](each) for name, each in discriminator_settings.read(named).items()}
    )
