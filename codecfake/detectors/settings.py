"""The parts of detectors by name: a front-end (features), an aggregation of its layers, and a back-end (classifier).

This module needs no torch, so that an experiment can be checked before any job.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base import plugins
from codecfake.base.registry import Part, Registry
from codecfake.base.settings import Fault, FaultsError, as_faults, below, fault
from codecfake.detectors import FeatureShape
from codecfake.detectors.aggregation_settings import AttMSettings, SeaSettings, WeightedSumSettings
from codecfake.detectors.back_end_settings import (
    AasistSettings,
    ConformerSettings,
    LcnnSettings,
    MhfaSettings,
    Nes2NetSettings,
    PoolingSettings,
    SlsSettings,
)
from codecfake.detectors.front_end_settings import BLOCKS, ONE, MelSettings, SincSettings, SslSettings


@dataclass(frozen=True)
class FrontEndPart(Part):
    """A front-end; if `slow`, computing features takes longer than reading them from a disk."""

    slow: bool = True


@dataclass(frozen=True)
class BackEndPart(Part):
    """A back-end; if `several_layers`, it takes `[B, L, F, D]` of a front-end with L layers, not `[B, F, D]`.

    If `any_length`, it takes features of any number of frames, not only of the number that it was built for.
    """

    several_layers: bool = False
    any_length: bool = False


FRONT_ENDS: Registry[FrontEndPart] = Registry(
    "front-end",
    {
        "mel": FrontEndPart("codecfake.detectors.mel:Mel", MelSettings, slow=False),
        "wav2vec2": FrontEndPart("codecfake.detectors.ssl:Wav2Vec2", SslSettings),
        "wavlm": FrontEndPart("codecfake.detectors.ssl:WavLM", SslSettings),
        "hubert": FrontEndPart("codecfake.detectors.ssl:Hubert", SslSettings),
        "sinc": FrontEndPart("codecfake.detectors.sinc:Sinc", SincSettings, slow=False),
    },
)
AGGREGATIONS: Registry[Part] = Registry(
    "aggregation",
    {
        "weighted_sum": Part("codecfake.detectors.aggregations:WeightedSum", WeightedSumSettings),
        "sea": Part("codecfake.detectors.aggregations:Sea", SeaSettings),
        "attm": Part("codecfake.detectors.aggregations:AttM", AttMSettings),
    },
    context=(FeatureShape,),
)
BACK_ENDS: Registry[BackEndPart] = Registry(
    "back-end",
    {
        "lcnn": BackEndPart("codecfake.detectors.lcnn:Lcnn", LcnnSettings),
        "aasist": BackEndPart("codecfake.detectors.aasist:Aasist", AasistSettings, any_length=True),
        "sls": BackEndPart("codecfake.detectors.sls:Sls", SlsSettings, several_layers=True),
        "nes2net": BackEndPart("codecfake.detectors.nes2net:Nes2Net", Nes2NetSettings, any_length=True),
        "mhfa": BackEndPart("codecfake.detectors.mhfa:Mhfa", MhfaSettings, several_layers=True, any_length=True),
        "conformer": BackEndPart("codecfake.detectors.conformer:Conformer", ConformerSettings, any_length=True),
        "pooling": BackEndPart("codecfake.detectors.pooling:Pooling", PoolingSettings, any_length=True),
    },
    context=(FeatureShape,),
)


@dataclass(frozen=True)
class DetectorSettings:
    """Each part is a mapping of its `name` and its own settings: `{"name": "lcnn", "width": 0.25}`.

    A name is one of `FRONT_ENDS`, `AGGREGATIONS` or `BACK_ENDS`, or `module:name` of a class outside the package.
    """

    front_end: dict[str, Any]
    back_end: dict[str, Any]
    aggregation: dict[str, Any] | None = None  # makes one layer of several; trained together with the back-end

    def __post_init__(self) -> None:
        faults = []
        for key, registry, part in self._parts():
            try:
                part_of(registry, part)[0].build_settings(settings_of(part))
            except ValueError as error:
                faults += [each.below(key) for each in as_faults(error)]
        if faults := faults or list(self._layer_faults()):
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

    def _parts(self) -> list[tuple[str, Registry[Any], dict[str, Any]]]:
        aggregation = [] if self.aggregation is None else [("aggregation", AGGREGATIONS, self.aggregation)]
        return [("front_end", FRONT_ENDS, self.front_end), *aggregation, ("back_end", BACK_ENDS, self.back_end)]

    def _layer_faults(self) -> Iterator[Fault]:
        """Mismatches of the numbers of layers; how many a part from outside gives or takes is not known here."""
        names = self.front_end["name"], self.back_end["name"]
        if any(plugins.is_outside(name) for name in names):
            return
        part, values = part_of(FRONT_ENDS, self.front_end)
        has_several = getattr(part.build_settings(values), "num_layers", 1) > 1
        takes_several = BACK_ENDS.part(names[1]).several_layers
        if has_several and self.aggregation is None and not takes_several:
            yield Fault(
                ("back_end",),
                f"{names[1]} takes one layer, but the front-end gives several; set `aggregation` to one of "
                f"{', '.join(AGGREGATIONS)}, or `layers` of the front-end to {ONE}",
            )
        if self.aggregation is not None and takes_several:
            yield Fault(
                ("aggregation",),
                f"{names[1]} takes several layers itself; remove aggregation, or choose a back-end of one",
            )
        elif not has_several and (self.aggregation is not None or takes_several):
            yield Fault(
                ("front_end",),
                f"it gives one layer, but {'the aggregation' if self.aggregation else names[1]} takes several; take a "
                f"self-supervised front-end and set its `layers` to {BLOCKS}",
            )


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
