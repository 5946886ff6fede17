"""The parts of detectors and their settings: a front-end (features) and a back-end (classifier), chosen by name.

This module needs no torch, so that an experiment can be checked before any job.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codecfake.base import plugins
from codecfake.base.registry import Part, Registry
from codecfake.base.settings import FaultsError, as_faults, below, fault
from codecfake.base.suggestions import unknown
from codecfake.detectors import FeatureShape

RANDOM = "random"
NODES = ("attention", "max")


@dataclass(frozen=True)
class MelSettings:
    log: bool = False  # take the logarithm; the published front-end does not


@dataclass(frozen=True)
class SincSettings:
    """The published filter bank has no settings."""


@dataclass(frozen=True)
class SslSettings:
    weights: str  # a transformers folder, a hub id such as facebook/wav2vec2-xls-r-300m, or "random"
    layer: int = 5  # the features are the output of this block; blocks above it are not built
    normalize: bool = True  # each clip to zero mean and unit variance, as XLS-R and WavLM-large were trained
    config: dict[str, Any] = field(default_factory=dict)  # of a random model; the keys are those of transformers
    seed: int = 0  # of a random model

    def __post_init__(self) -> None:
        if self.layer < 1:
            raise ValueError(f"front-end layer is {self.layer}; layers count from 1")
        if self.config and self.weights != RANDOM:
            raise ValueError(f"front-end config is for weights: random; {self.weights} has its own")


@dataclass(frozen=True)
class LcnnSettings:
    width: float = 1.0  # of every layer, relative to the published network

    def __post_init__(self) -> None:
        if self.width <= 0:
            raise ValueError(f"lcnn width is {self.width}; it must be positive")


@dataclass(frozen=True)
class AasistSettings:
    """Defaults are W2V2-AASIST's.

    AASIST is `{projection: null, block_pool: 3, nodes: max, pool_ratios: [0.5, 0.7, 0.5]}`; AASIST-L is
    `{…, channels: [32, 24], graph_dims: [24, 32], pool_ratios: [0.4, 0.5, 0.7]}`.
    """

    projection: int | None = 128  # features are first mapped to this size; null: not mapped
    channels: tuple[int, int] = (32, 64)  # of residual blocks 1 and 2, and 3 to 6
    graph_dims: tuple[int, int] = (64, 32)  # of the two separate graphs, and of the joint one
    pool_ratios: tuple[float, float, float] = (0.5, 0.5, 0.5)  # of the spectral, the temporal and the joint graph
    block_pool: int = 1  # each residual block divides the number of frames by it
    nodes: str = "attention"  # how a node summarizes its row of the spectrogram: attention, or max of magnitudes

    def __post_init__(self) -> None:
        if self.nodes not in NODES:
            raise fault(unknown("kind of nodes", self.nodes, NODES), "nodes")
        for name, length in (("channels", 2), ("graph_dims", 2), ("pool_ratios", 3)):
            if len(getattr(self, name)) != length:
                raise ValueError(f"aasist {name} is {list(getattr(self, name))}; {length} numbers are needed")


@dataclass(frozen=True)
class FrontEndPart(Part):
    """A front-end; if `slow`, computing features takes longer than reading them from a disk."""

    slow: bool = True


FRONT_ENDS: Registry[FrontEndPart] = Registry(
    "front-end",
    {
        "mel": FrontEndPart("codecfake.detectors.mel:Mel", MelSettings, slow=False),
        "wav2vec2": FrontEndPart("codecfake.detectors.ssl:Wav2Vec2", SslSettings),
        "wavlm": FrontEndPart("codecfake.detectors.ssl:WavLM", SslSettings),
        "sinc": FrontEndPart("codecfake.detectors.sinc:Sinc", SincSettings, slow=False),
    },
)
BACK_ENDS: Registry[Part] = Registry(
    "back-end",
    {
        "lcnn": Part("codecfake.detectors.lcnn:Lcnn", LcnnSettings),
        "aasist": Part("codecfake.detectors.aasist:Aasist", AasistSettings),
    },
    context=(FeatureShape,),
)


@dataclass(frozen=True)
class DetectorSettings:
    """Each part is a mapping of its `name` and its own settings: `{"name": "lcnn", "width": 0.25}`.

    A name is one of `FRONT_ENDS` or `BACK_ENDS`, or `module:name` of a class outside the package.
    """

    front_end: dict[str, Any]
    back_end: dict[str, Any]

    def __post_init__(self) -> None:
        faults = []
        for key, registry, part in self._parts():
            try:
                part_of(registry, part)[0].build_settings(settings_of(part))
            except ValueError as error:
                faults += [each.below(key) for each in as_faults(error)]
        if faults:
            raise FaultsError("", faults)

    def complete(self) -> dict[str, Any]:
        """The settings with every default spelled out."""
        return {
            key: {"name": part["name"], **registry.part(part["name"]).complete(settings_of(part))}
            for key, registry, part in self._parts()
        }

    def code(self) -> list[Path]:
        """The files beside the experiment that implement its parts."""
        files = (registry.part(part["name"]).code() for _, registry, part in self._parts())
        return [path for path in files if path is not None]

    def rate_names(self, detector: str) -> tuple[str, str, str]:
        """Names in `rates.yaml`: of computing features, of training on them, and of the size of the weights.

        A part outside the package has the detector's name. Back-ends cost the same behind all self-supervised
        front-ends, whose features have the same shape.
        """
        names = (self.front_end["name"], self.back_end["name"])
        front_end, back_end = (detector if plugins.is_outside(name) else name for name in names)
        is_ssl = front_end in FRONT_ENDS and FRONT_ENDS.part(front_end).settings is SslSettings
        return f"features.{front_end}", f"train.{'ssl' if is_ssl else front_end}-{back_end}", f"weights_mb.{back_end}"

    def _parts(self) -> tuple[tuple[str, Registry[Any], dict[str, Any]], ...]:
        return ("front_end", FRONT_ENDS, self.front_end), ("back_end", BACK_ENDS, self.back_end)


def part_of(registry: Registry[Any], part: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The entry of a part of a detector, and its own settings. Raises SettingsError if its name is unknown."""
    if "name" not in part:
        raise fault(f"setting 'name' is missing; give the {registry.kind}'s: {', '.join(registry)}")
    if not isinstance(part["name"], str):
        raise fault(f"expected text, found {part['name']!r}", "name")
    with below("name"):
        return registry.part(part["name"]), settings_of(part)


def settings_of(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part's own settings: everything except its name."""
    return {key: value for key, value in part.items() if key != "name"}
