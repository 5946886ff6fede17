"""Fine-tuning: a detector whose front-end trains with its back-end, and the learning rates of its parts."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.detectors.detector import Detector
from codecfake.features import precision
from codecfake.training.fine_tuning_settings import BACK_END, FineTuningSettings
from codecfake.training.masking import Masking

Group = dict[str, Any]  # of parameters, for an optimizer
SHARE = (
    "share"  # key of a group: its learning rate, relative to that of the back-end; only groups of front-ends have it
)


class FineTuningError(ValueError):
    """A front-end cannot be fine-tuned as the settings ask."""


def trained_network(detector: Detector, settings: FineTuningSettings, device: torch.device) -> nn.Module:
    """What training updates: the head of the detector, which takes features, or a `TunedDetector`, which takes clips.

    Raises FineTuningError if this device cannot train as the settings ask.
    """
    return TunedDetector(detector, settings, device) if settings.is_on else detector.head


class TunedDetector(nn.Module):
    """wav `[B, T]`, float32 at 16 kHz -> logits `[B, 2]`; gradients reach the trained part of the front-end.

    It shares its modules with `detector`, so that training it trains the detector. Frozen parts stay in eval mode.
    """

    def __init__(self, detector: Detector, settings: FineTuningSettings, device: torch.device) -> None:
        super().__init__()
        if settings.precision != precision.EXACT and device.type != "cuda":
            raise FineTuningError(
                f"fine_tuning.precision is {settings.precision}, but this training runs on {device.type}; "
                f"set it to {precision.EXACT}, or `device: cuda`"
            )
        self.front_end, self.head = detector.front_end, detector.head
        self._settings = settings
        self._trained = _trained(self.front_end, settings)  # a list, so that the state holds no weight twice
        for module in self._trained:
            module.requires_grad_(True)
        self._masking = Masking(settings.time_mask, settings.feature_mask)
        if self._masking:
            self._masking.watch(_network(self.front_end))
        if settings.gradient_checkpointing:
            # not reentrant: that form needs inputs with gradients, which the lowest trained block does not have
            _network(self.front_end).gradient_checkpointing_enable({"use_reentrant": False})

    def train(self, mode: bool = True) -> "TunedDetector":
        self.training = self._masking.is_on = mode
        self.front_end.eval()
        for module in self._trained:
            module.train(mode)
        self.head.train(mode)
        return self

    def forward(self, wav: Tensor) -> Tensor:
        bits = self._settings.precision if self.training else precision.EXACT  # dev is scored as eval will be
        return self.head(precision.run(self.front_end, wav, bits))

    @property
    def sharpness_part(self) -> nn.Module:
        """The part over whose weights SAM and ASAM ascend."""
        return self.head if self._settings.sharpness == BACK_END else self

    def groups(self, learning_rate: float) -> list[Group]:
        """The parameters in groups, given the learning rate of the back-end: its own first, then from the top down."""
        share = (self._settings.learning_rate or learning_rate) / learning_rate
        groups: list[Group] = [{"params": list(self.head.parameters())}]
        for depth, level in enumerate(_levels(self.front_end, self._settings)):
            parameters = [parameter for parameter in level if parameter.requires_grad]
            if parameters:
                groups.append({"params": parameters, SHARE: share * self._settings.layer_decay**depth})
        return groups


def warmed_up(settings: FineTuningSettings, num_updates: int) -> float:
    """The learning rate of a front-end after so many updates, relative to that without warm-up."""
    return min(1.0, (num_updates + 1) / settings.warmup) if settings.warmup else 1.0


def _trained(front_end: nn.Module, settings: FineTuningSettings) -> list[nn.Module]:
    """The modules that hold the weights to train."""
    if settings.num_blocks is None:
        return [front_end]
    encoder = _network(front_end).encoder
    return [*encoder.layers[-settings.num_blocks :], *_final_norm(encoder)]


def _levels(front_end: nn.Module, settings: FineTuningSettings) -> Iterator[list[nn.Parameter]]:
    """The parameters of each block, from the top down, the final norm with the first; at last all that are below.

    Without layer-wise decay there is one level.
    """
    rest = dict(front_end.named_parameters())
    if settings.layer_decay == 1:
        yield list(rest.values())
        return
    encoder = _network(front_end).encoder
    names = {id(parameter): name for name, parameter in rest.items()}
    for number, block in enumerate(reversed(encoder.layers)):
        modules = [block, *_final_norm(encoder)] if number == 0 else [block]
        yield [rest.pop(names[id(parameter)]) for module in modules for parameter in module.parameters()]
    yield list(rest.values())


def _final_norm(encoder: Any) -> list[nn.Module]:
    """The norm after the last block, which models have whose blocks normalize their input."""
    return [encoder.layer_norm] if encoder.config.do_stable_layer_norm else []


def _network(front_end: nn.Module) -> Any:
    """The network of transformers inside a self-supervised front-end."""
    return front_end.model
