"""The augmentations and their settings, without their libraries: experiments are checked before any job."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from codecfake.base.registry import Part, Registry
from codecfake.base.settings import FaultsError, as_faults, below, build, fault
from codecfake.detectors import SAMPLE_RATE

INFINITY = float("inf")
EDGE_HZ = 1e-3  # the smallest distance of a notch from 0 Hz and from half the sampling rate
NUM_ALGORITHMS = 9  # of RawBoost
FORMATS = ("mp3", "opus", "vorbis")
HIGHEST_LEVEL = 0.95  # LAME rejects 1, and Opus then encodes at 7 kbps


class AugmentationError(ValueError):
    """An augmentation cannot be applied with these settings."""


def require_range(name: str, low: float, high: float, least: float = -INFINITY, most: float = INFINITY) -> None:
    """Raise AugmentationError unless least <= low <= high <= most."""
    if not least <= low <= high <= most:
        raise AugmentationError(
            f"{name} is from {low:g} to {high:g}; the first must not exceed the second, and both must be in "
            f"[{least:g}, {most:g}]"
        )


@dataclass(frozen=True)
class NotchSettings:
    """`num_notches` random notch filters in series; each number is uniform in its range."""

    num_notches: int = 5
    min_center_hz: float = 20.0
    max_center_hz: float = 8_000.0
    min_width_hz: float = 100.0
    max_width_hz: float = 1_000.0
    min_taps: int = 10  # of one notch; even numbers are increased by one
    max_taps: int = 100

    def __post_init__(self) -> None:
        require_range("center_hz", self.min_center_hz, self.max_center_hz, 0, SAMPLE_RATE / 2)
        require_range("width_hz", self.min_width_hz, self.max_width_hz, 4 * EDGE_HZ, SAMPLE_RATE / 2)
        require_range("taps", self.min_taps, self.max_taps, 1)


@dataclass(frozen=True)
class ConvolutiveSettings(NotchSettings):
    order: int = 5  # the highest power of the signal in the sum
    min_gain_db: float = 0.0  # of the signal itself
    max_gain_db: float = 0.0
    min_bias_db: float = 5.0  # how far the gain ranges of higher powers are below that of the signal
    max_bias_db: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("gain_db", self.min_gain_db, self.max_gain_db)
        if self.order < 1:
            raise AugmentationError(f"order is {self.order}; it must be at least 1")


@dataclass(frozen=True)
class ImpulsiveSettings:
    max_percent: float = 10.0  # of samples that are changed
    gain: float = 2.0

    def __post_init__(self) -> None:
        require_range("percent", 0, self.max_percent, 0, 100)


@dataclass(frozen=True)
class StationarySettings(NotchSettings):
    min_snr_db: float = 10.0
    max_snr_db: float = 40.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("snr_db", self.min_snr_db, self.max_snr_db)


@dataclass(frozen=True)
class RawBoostSettings:
    """An algorithm of the published code with its parameters: 1 convolutive, 2 impulsive, 3 stationary noise; in series
    4 (all), 5 (1 and 2), 6 (1 and 3), 7 (2 and 3); in parallel 8 (1 and 2), 9 (all)."""

    algorithm: int = 5  # the published choice for ASVspoof 2021 LA; 3 for DF

    def __post_init__(self) -> None:
        if self.algorithm not in range(1, NUM_ALGORITHMS + 1):
            raise fault(f"{self.algorithm} is not an algorithm of RawBoost; choose from 1 to 9", "algorithm")


@dataclass(frozen=True)
class NoiseSettings:
    folder: str
    pattern: str = "*"  # of file names
    min_snr_db: float = 0.0  # of the powers over the whole clip
    max_snr_db: float = 20.0

    def __post_init__(self) -> None:
        require_range("snr_db", self.min_snr_db, self.max_snr_db)


@dataclass(frozen=True)
class ReverberationSettings:
    folder: str
    pattern: str = "*"  # of file names; for RIRS_NOISES/real_rirs_isotropic_noises, which also has noise: `*rir*`


@dataclass(frozen=True)
class CompressionSettings:
    """`level` is libsndfile's compression level, from 0 (highest bit rate) to 1 (lowest).

    For speech at 16 kHz, levels of 0, 0.5 and 0.9 give about 54, 31 and 26 kbps with MP3, 261, 135 and 30 with Opus,
    and 73, 46 and 33 with Vorbis (measured with libsndfile 1.2.2).
    """

    formats: tuple[str, ...] = tuple(FORMATS)  # one is drawn for each clip
    min_level: float = 0.5
    max_level: float = 0.9

    def __post_init__(self) -> None:
        require_range("level", self.min_level, self.max_level, 0, HIGHEST_LEVEL)
        strange = [name for name in self.formats if name not in FORMATS]
        if strange or not self.formats:
            raise AugmentationError(f"formats are {list(self.formats)}; give some of {', '.join(FORMATS)}")


@dataclass(frozen=True)
class SpeedSettings:
    min_factor: float = 0.9  # 1.1 is faster and shorter
    max_factor: float = 1.1

    def __post_init__(self) -> None:
        require_range("factor", self.min_factor, self.max_factor, 0.5, 2)


@dataclass(frozen=True)
class BandLimitSettings:
    """The band that passes, in Hz; both ends are uniform in their ranges. A low end of 0 does not filter low
    frequencies, and a high end of 8000 does not filter high ones. A telephone line has low 300 and high 3400."""

    min_low_hz: float = 0.0
    max_low_hz: float = 300.0
    min_high_hz: float = 3_400.0
    max_high_hz: float = 8_000.0

    def __post_init__(self) -> None:
        require_range("low_hz", self.min_low_hz, self.max_low_hz, 0, SAMPLE_RATE / 2)
        require_range("high_hz", self.min_high_hz, self.max_high_hz, self.max_low_hz, SAMPLE_RATE / 2)


P = "codecfake.features.augmentation"
AUGMENTATIONS: Registry[Part] = Registry(
    "augmentation",
    {
        "rawboost_convolutive": Part(f"{P}.rawboost:Convolutive", ConvolutiveSettings),
        "rawboost_impulsive": Part(f"{P}.rawboost:Impulsive", ImpulsiveSettings),
        "rawboost_stationary": Part(f"{P}.rawboost:Stationary", StationarySettings),
        "rawboost": Part(f"{P}.rawboost_algorithms:RawBoost", RawBoostSettings),
        "noise": Part(f"{P}.noise:Noise", NoiseSettings),
        "reverberation": Part(f"{P}.reverberation:Reverberation", ReverberationSettings),
        "compression": Part(f"{P}.compression:Compression", CompressionSettings),
        "speed": Part(f"{P}.speed:Speed", SpeedSettings),
        "band_limit": Part(f"{P}.band_limit:BandLimit", BandLimitSettings),
    },
)


@dataclass(frozen=True)
class Link:
    """One augmentation of a chain."""

    name: str
    probability: float = 1.0  # that it is applied to a clip
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        part = AUGMENTATIONS.part(self.name)
        if not 0 <= self.probability <= 1:
            raise AugmentationError(f"probability of {self.name} is {self.probability}; it must be in [0, 1]")
        with below("settings"):
            part.build_settings(self.settings)

    def complete(self) -> dict[str, Any]:
        """The link as plain values, including all defaults."""
        return {**asdict(self), "settings": AUGMENTATIONS.part(self.name).complete(self.settings)}

    def build(self) -> Any:
        """The augmentation itself."""
        part = AUGMENTATIONS.part(self.name)
        return part.load()(part.build_settings(self.settings))

    def code(self) -> Path | None:
        """The file next to the experiment that defines the augmentation; None for one of the package."""
        return AUGMENTATIONS.part(self.name).code()


def links(chain: Sequence[Mapping[str, Any]]) -> list[Link]:
    """The links of a chain. Raises FaultsError with the faults of all links, each with its position from 0."""
    valid_links, faults = [], []
    for place, values in enumerate(chain):
        try:
            valid_links.append(build(Link, values))
        except ValueError as error:
            faults += [each.below(str(place)) for each in as_faults(error)]
    if faults:
        raise FaultsError("", faults)
    return valid_links
