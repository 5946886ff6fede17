"""A detector: a front-end that is never trained, and a trained back-end, with an aggregation if there are layers."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base.registry import Registry
from codecfake.base.settings import SettingsError
from codecfake.detectors import BONAFIDE, SPOOF, FeatureShape
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.settings import AGGREGATIONS, BACK_ENDS, FRONT_ENDS, DetectorSettings, part_of


class Detector(nn.Module):
    """wav `[B, crop_samples]`, float32 at 16 kHz -> logits `[B, 2]`, spoof first; or `[B, num_classes]` of sources."""

    def __init__(self, settings: DetectorSettings, crop_samples: int, num_classes: int = 2) -> None:
        super().__init__()
        self.front_end = front_end_of(settings.front_end)
        shape = replace(self.front_end.shape(crop_samples), num_classes=num_classes)
        if settings.aggregation is not None:
            self.aggregation = _trained(AGGREGATIONS, settings.aggregation, shape)
            shape = replace(shape, num_layers=1)
        self.back_end = _trained(BACK_ENDS, settings.back_end, shape)

    @property
    def head(self) -> nn.Module:
        """Features -> logits: the back-end, after the aggregation if there is one. Training changes its weights."""
        if not hasattr(self, "aggregation"):
            return self.back_end
        return nn.Sequential(OrderedDict(aggregation=self.aggregation, back_end=self.back_end))

    def train(self, mode: bool = True) -> "Detector":
        """Switch only the head: the frozen front-end never uses dropout."""
        self.training = mode
        self.head.train(mode)
        return self

    def forward(self, wav: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.front_end(wav)
        return self.head(features)

    def front_end_weights(self) -> str | dict[str, str]:
        """`"none"`, `"random"`, or where pretrained weights came from and their sha256."""
        return self.front_end.provenance()

    def own_state(self) -> dict[str, Tensor]:
        """The weights that exist nowhere else: the head's, and those of a front-end that is not pretrained."""
        elsewhere = ("front_end.",) if self.front_end.is_pretrained else ()
        return {name: tensor for name, tensor in self.state_dict().items() if not name.startswith(elsewhere)}


def score(logits: Tensor) -> Tensor:
    """logit(bona fide) - logit(spoof) `[B]`: higher means more bona fide; it does not saturate."""
    return logits[:, BONAFIDE] - logits[:, SPOOF]


def front_end_of(part: Mapping[str, Any]) -> FrontEnd:
    """The frozen front-end of a detector's settings."""
    entry, values = part_of(FRONT_ENDS, part)
    implementation = entry.load()
    front_end = implementation(entry.build_settings(values))
    if not isinstance(front_end, FrontEnd):
        raise SettingsError(
            f"{implementation.__module__}.{implementation.__name__} is not a front-end; "
            f"derive it from codecfake.detectors.front_end.FrontEnd"
        )
    return front_end.requires_grad_(False).eval()


def _trained(registry: Registry[Any], part: dict[str, Any], shape: FeatureShape) -> nn.Module:
    entry, values = part_of(registry, part)
    return entry.load()(shape, entry.build_settings(values))
