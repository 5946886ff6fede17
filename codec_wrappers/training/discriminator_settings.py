"""The settings of discriminators, by their names in recipes. No torch: an experiment is checked before any job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codecfake.base import settings
from codecfake.base.settings import SettingsError, below
from codecfake.base.suggestions import unknown


@dataclass(frozen=True)
class PeriodSettings:
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)  # samples
    channels: int = 32  # of the first convolution; the last has 32 times as many
    match_logits: bool = True  # whether feature matching includes the logits; DAC's does not
    peak: float | None = None


@dataclass(frozen=True)
class ScaleSettings:
    scales: int = 3
    channels: int = 128  # of the first convolution; the last has 8 times as many
    peak: float | None = None


@dataclass(frozen=True)
class WaveSettings:
    scales: int = 3
    channels: int = 16  # of the first convolution; each of the next four has 4 times as many,
    most: int = 1024  # but no more than these
    peak: float | None = None


@dataclass(frozen=True)
class SpectrumSettings:
    window: int = 1024
    hop: int = 256
    channels: int = 32
    peak: float | None = None


@dataclass(frozen=True)
class BandSettings:
    windows: tuple[int, ...] = (2048, 1024, 512)
    channels: int = 32
    edges: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # of the bands, as shares of the spectrum
    peak: float | None = None


@dataclass(frozen=True)
class StftSettings:
    filters: int = 32
    windows: tuple[int, ...] = (1024, 2048, 512, 256, 128)
    slope: float = 0.2  # of the leaky ReLUs
    peak: float | None = None


KINDS: dict[str, type] = {
    "periods": PeriodSettings,
    "scales": ScaleSettings,
    "waves": WaveSettings,
    "spectrum": SpectrumSettings,
    "bands": BandSettings,
    "stft": StftSettings,
    "pooled_stft": StftSettings,
}


def read(entries: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """The settings of discriminators by name; an entry of None turns its discriminator off.

    Raises SettingsError if a name or a setting is unknown.
    """
    for name in entries:
        if name not in KINDS:
            raise SettingsError(unknown("discriminator", name, KINDS))
    return {name: _read(name, values) for name, values in entries.items() if values is not None}


def _read(name: str, values: Mapping[str, Any]) -> Any:
    with below(name):
        return settings.build(KINDS[name], values)
