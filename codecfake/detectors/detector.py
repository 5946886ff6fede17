"""A detector: a front-end that is never trained, and a back-end that is."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base import settings
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.aasist import Aasist, AasistSettings
from codecfake.detectors.lcnn import Lcnn, LcnnSettings
from codecfake.detectors.mel import Mel, MelSettings
from codecfake.detectors.sinc import Sinc, SincSettings
from codecfake.detectors.ssl import Ssl, SslSettings, Wav2Vec2, WavLM

FRONT_END_CLASSES: dict[str, tuple[type, type]] = {
    "mel": (Mel, MelSettings),
    "wav2vec2": (Wav2Vec2, SslSettings),
    "wavlm": (WavLM, SslSettings),
    "sinc": (Sinc, SincSettings),
}
BACK_END_CLASSES: dict[str, tuple[type, type]] = {
    "lcnn": (Lcnn, LcnnSettings),
    "aasist": (Aasist, AasistSettings),
}


@dataclass(frozen=True)
class DetectorSettings:
    """Each part is a mapping of its `name` and its own settings: `{"name": "lcnn", "width": 0.25}`."""

    front_end: dict[str, Any]
    back_end: dict[str, Any]

    def __post_init__(self) -> None:
        _part(self.front_end, FRONT_END_CLASSES, "front-end")
        _part(self.back_end, BACK_END_CLASSES, "back-end")

    def complete(self) -> dict[str, Any]:
        """The settings with every default spelled out."""
        parts = (("front_end", self.front_end, FRONT_END_CLASSES), ("back_end", self.back_end, BACK_END_CLASSES))
        return {
            kind: {"name": given["name"], **dataclasses.asdict(_part(given, classes, kind)[1])}
            for kind, given, classes in parts
        }


class Detector(nn.Module):
    """wav `[B, crop_samples]`, float32 at 16 kHz -> logits `[B, 2]`, spoof first."""

    def __init__(self, given: DetectorSettings, crop_samples: int) -> None:
        super().__init__()
        front_end, front_settings = _part(given.front_end, FRONT_END_CLASSES, "front-end")
        back_end, back_settings = _part(given.back_end, BACK_END_CLASSES, "back-end")
        self.front_end = front_end(front_settings).requires_grad_(False).eval()
        self.back_end = back_end(self.front_end.shape(crop_samples), back_settings)

    def train(self, mode: bool = True) -> "Detector":
        """Switch the back-end alone: a frozen front-end keeps its dropout off."""
        self.training = mode
        self.back_end.train(mode)
        return self

    def forward(self, wav: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.front_end(wav)
        return self.back_end(features)

    def front_end_weights(self) -> str | dict[str, str]:
        """`"none"`, `"random"`, or where pretrained weights came from and their sha256."""
        return self.front_end.provenance() if isinstance(self.front_end, Ssl) else "none"

    def own_state(self) -> dict[str, Tensor]:
        """The weights that exist nowhere else: the back-end's, and those of a random front-end."""
        kept = ("back_end.", "front_end.") if self.front_end_weights_are_random else ("back_end.",)
        return {name: tensor for name, tensor in self.state_dict().items() if name.startswith(kept)}

    @property
    def front_end_weights_are_random(self) -> bool:
        return isinstance(self.front_end, Ssl) and self.front_end.is_random


def score(logits: Tensor) -> Tensor:
    """logit(bona fide) - logit(spoof) `[B]`: higher means more bona fide, and it does not saturate."""
    return logits[:, BONAFIDE] - logits[:, SPOOF]


def _part(given: Mapping[str, Any], classes: Mapping[str, tuple[type, type]], kind: str) -> tuple[type, Any]:
    name = str(given.get("name"))
    if name not in classes:
        raise settings.SettingsError(f"{kind} name is {name!r}; known: {', '.join(classes)}")
    cls, settings_class = classes[name]
    return cls, settings.build(settings_class, {key: value for key, value in given.items() if key != "name"})
