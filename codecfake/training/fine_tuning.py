"""Fine-tuning: a detector whose front-end trains with its back-end, and the learning rates of its parts."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base.parallel import ALONE, Team
from codecfake.detectors.detector import Detector
from codecfake.detectors.ssl import Ssl
from codecfake.features import precision
from codecfake.features.streaming import Part
from codecfake.training.fine_tuning_settings import BACK_END, FROZEN, FineTuningSettings
from codecfake.training.masking import Masking

Group = dict[str, Any]  # of parameters, for an optimizer
SHARE = "share"  # key of a front-end's group: its learning rate, relative to that of the back-end


class FineTuningError(ValueError):
    """A front-end cannot be fine-tuned as the settings ask."""


def trained_network(
    detector: Detector, settings: FineTuningSettings, device: torch.device, team: Team = ALONE
) -> nn.Module:
    """What training updates: the head of the detector, which takes features, or a `TunedDetector`, which takes clips.

    Raises FineTuningError if this device cannot train as the settings ask.
    """
    return TunedDetector(detector, settings, device, team) if settings.is_on else detector.head


def start(detector: Detector, settings: FineTuningSettings) -> str | dict[str, str]:
    """What a model folder records of the weights of the front-end before training."""
    weights, front_end = detector.front_end_weights(), detector.front_end
    if not settings.is_on or isinstance(weights, dict):
        return weights
    return {"source": weights, "sha256": front_end.digest()}


def included(detector: Detector, values: dict[str, Any]) -> dict[str, Any]:
    """The settings of a fine-tuned detector, whose model folder contains its front-end."""
    front_end = detector.front_end
    if not isinstance(front_end, Ssl):
        return values
    return {**values, "front_end": {"name": values["front_end"]["name"], **front_end.included()}}


class TunedDetector(nn.Module):
    """wav `[B, T]`, float32 at 16 kHz -> logits `[B, 2]`; gradients reach the trained part of the front-end.

    It shares its modules with `detector`, so that training it trains the detector. Frozen parts stay in eval mode.
    In a team, each process runs the front-end for its part of the batch, and the head for the whole batch.
    """

    def __init__(
        self, detector: Detector, settings: FineTuningSettings, device: torch.device, team: Team = ALONE
    ) -> None:
        super().__init__()
        if settings.precision != precision.EXACT and device.type != "cuda":
            raise FineTuningError(
                f"fine_tuning.precision is {settings.precision}, but this training runs on {device.type}; "
                f"set it to {precision.EXACT}, or `device: cuda`"
            )
        if detector.front_end.is_pretrained and not isinstance(detector.front_end, Ssl):
            name = type(detector.front_end).__name__
            raise FineTuningError(
                f"the front-end {name} has its weights elsewhere, so that no model folder can hold other ones; set "
                f"fine_tuning.train to {FROZEN}, or is_pretrained of its class to False"
            )
        self.front_end, self.head = detector.front_end, detector.head
        self._settings, self._team = settings, team
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

    def forward(self, clips: Tensor | Part) -> Tensor:
        part = clips if isinstance(clips, Part) else Part(clips, len(clips))
        bits = self._settings.precision if self.training else precision.EXACT  # dev is scored as eval will be
        with self._team.own_randomness(part.clips.device):
            features = precision.run(self.front_end, part.clips, bits)
        return self.head(self._team.whole(features, part.length))

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


def share_gradients(network: nn.Module, team: Team) -> None:
    """Give each process of a team the gradients of the whole batch."""
    if isinstance(network, TunedDetector):
        team.add_gradients(network.front_end.parameters())
    team.copy_gradients(network.head.parameters() if isinstance(network, TunedDetector) else network.parameters())


def warmed_up(settings: FineTuningSettings, num_updates: int) -> float:
    """The learning rate of a front-end after a number of updates, relative to that without warm-up."""
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
