"""The optimizer of a training run: one group of weights for the back-end, and others for a front-end in training."""

from torch import nn, optim

from codecfake.training.fine_tuning import SHARE, TunedDetector, warmed_up
from codecfake.training.plan import Plan
from codecfake.training.settings import TrainSettings


class Optimizer:
    """Adam, and the learning rates of its groups, which depend only on the number of updates."""

    def __init__(self, settings: TrainSettings, network: nn.Module, plan: Plan) -> None:
        self._settings, self._plan = settings, plan
        self.adam = adam(settings, network)

    def set_learning_rates(self, num_updates: int) -> None:
        """Set the learning rates of the update that follows `num_updates` others."""
        rate = self._plan.learning_rate(num_updates)
        for group in self.adam.param_groups:
            group["lr"] = rate
            if SHARE in group:
                group["lr"] *= group[SHARE] * warmed_up(self._settings.fine_tuning, num_updates)

    def learning_rates(self) -> dict[str, float]:
        """Columns of the history: the learning rate of the back-end, and the highest one of a front-end in training."""
        rate, *others = (group["lr"] for group in self.adam.param_groups)
        return {"learning_rate": rate, **({"front_end_learning_rate": max(others)} if others else {})}


def adam(settings: TrainSettings, network: nn.Module) -> optim.Adam:
    """Adam over the weights of a network in training, the back-end's in the first group."""
    rate = settings.learning_rate
    return optim.Adam(
        network.groups(rate) if isinstance(network, TunedDetector) else network.parameters(),
        rate,
        (settings.betas[0], settings.betas[1]),
        weight_decay=settings.weight_decay,
    )
