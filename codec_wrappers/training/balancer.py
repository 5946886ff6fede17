"""Loss weights as shares of the gradient that reaches the codec (Défossez et al. 2022, section 3.4)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from codec_wrappers.training import recipe
from codecfake.base.portions import WHOLE, Portion

TINY = 1e-12  # of a gradient's norm


class Balancer(nn.Module):
    """Divides the gradient of every loss by the moving average of its norm, then weights and sums the gradients.

    The state of the module is `averages` `[L, 2]`: for each loss, the weighted sum of norms and the sum of weights.
    """

    averages: Tensor

    def __init__(self, settings: recipe.Balancer, weights: Mapping[str, float], portion: Portion = WHOLE) -> None:
        """`portion`: the rows of each batch that this process gets; norms are means over the batch."""
        super().__init__()
        self._portion = portion
        self._settings = settings
        self._weights = dict(weights)
        self.register_buffer("averages", torch.zeros(len(weights), 2))

    def gradient(self, losses: Mapping[str, Tensor], wav: Tensor) -> Tensor:
        """The gradient `[B, T]` for `wav`; the shares of the losses in `losses` add up to 1."""
        total = sum(self._weights[name] for name in losses)
        balanced = torch.zeros_like(wav)
        for name, loss in losses.items():
            (gradient,) = torch.autograd.grad(loss, wav, retain_graph=True)
            share = self._weights[name] / total * self._settings.total_norm
            balanced += share * gradient / (self._average_norm(name, gradient) + TINY)
        return balanced

    def _average_norm(self, name: str, gradient: Tensor) -> Tensor:
        """The moving average of the mean norm of a batch's rows, including this batch."""
        average = self.averages[list(self._weights).index(name)]
        norm = self._portion.total(self._portion.over_batch(gradient.norm(dim=1).mean()))
        average.mul_(self._settings.decay).add_(torch.stack([norm, torch.ones_like(norm)]))
        return average[0] / average[1]
