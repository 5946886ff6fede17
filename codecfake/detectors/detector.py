"""A detector: a front-end that is never trained, and a trained back-end."""

import torch
from torch import Tensor, nn

from codecfake.base.settings import SettingsError
from codecfake.detectors import BONAFIDE, SPOOF
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.settings import BACK_ENDS, FRONT_ENDS, DetectorSettings, part_of


class Detector(nn.Module):
    """wav `[B, crop_samples]`, float32 at 16 kHz -> logits `[B, 2]`, spoof first."""

    def __init__(self, settings: DetectorSettings, crop_samples: int) -> None:
        super().__init__()
        front_end, front_settings = part_of(FRONT_ENDS, settings.front_end)
        back_end, back_settings = part_of(BACK_ENDS, settings.back_end)
        self.front_end = _front_end(front_end.load(), front_end.build_settings(front_settings))
        self.back_end = back_end.load()(self.front_end.shape(crop_samples), back_end.build_settings(back_settings))

    def train(self, mode: bool = True) -> "Detector":
        """Switch only the back-end: the frozen front-end never uses dropout."""
        self.training = mode
        self.back_end.train(mode)
        return self

    def forward(self, wav: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.front_end(wav)
        return self.back_end(features)

    def front_end_weights(self) -> str | dict[str, str]:
        """`"none"`, `"random"`, or where pretrained weights came from and their sha256."""
        return self.front_end.provenance()

    def own_state(self) -> dict[str, Tensor]:
        """The weights that exist nowhere else: the back-end's, and those of a front-end that is not pretrained."""
        prefixes = ("back_end.",) if self.front_end.is_pretrained else ("back_end.", "front_end.")
        return {name: tensor for name, tensor in self.state_dict().items() if name.startswith(prefixes)}


def score(logits: Tensor) -> Tensor:
    """logit(bona fide) - logit(spoof) `[B]`: higher means more bona fide; it does not saturate."""
    return logits[:, BONAFIDE] - logits[:, SPOOF]


def _front_end(implementation: type, settings: object) -> FrontEnd:
    front_end = implementation(settings)
    if not isinstance(front_end, FrontEnd):
        raise SettingsError(
            f"{implementation.__module__}.{implementation.__name__} is not a front-end; "
            f"derive it from codecfake.detectors.front_end.FrontEnd"
        )
    return front_end.requires_grad_(False).eval()
