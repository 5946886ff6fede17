"""Updates: one step of the weights. SAM is from Foret et al. 2021, ASAM from Kwon et al. 2021.

Both ascend to the weights where the loss is worst within a ball of radius rho, compute the gradient there, return, and
let the base optimizer step with it: two passes over one batch, one update. In the second pass BatchNorm
normalizes by the batch as in the first and leaves its running statistics alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from codecfake.training.strategies import AsamSettings, BaseSettings, SamSettings

TINY = 1e-12  # prevents division by a gradient norm of zero

Closure = Callable[[], Tensor]  # sets the gradients of one batch at the present weights, returns its loss


class Update(Protocol):
    """One optimization step. May call the closure more than once; returns the loss at the weights before the step.

    If the closure fails, the weights stay as they were.
    """

    def step(self, closure: Closure) -> Tensor: ...


class BaseUpdate:
    """The base optimizer's own step."""

    def __init__(self, optimizer: Optimizer, model: nn.Module, settings: BaseSettings) -> None:
        self._optimizer = optimizer

    def step(self, closure: Closure) -> Tensor:
        loss = closure()
        self._optimizer.step()
        return loss


class Sam:
    """Sharpness-aware minimization of `model`: `optimizer` steps with the gradient at the ascended weights."""

    def __init__(self, optimizer: Optimizer, model: nn.Module, settings: SamSettings) -> None:
        self._optimizer = optimizer
        self._rho = settings.rho
        self._redraws_dropout = settings.dropout == "redrawn"
        self._parameters = dict(model.named_parameters())
        self._normalizations = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        self._device = next(model.parameters()).device

    def step(self, closure: Closure) -> Tensor:
        randomness = _random_state(self._device)
        loss = closure()
        if not self._redraws_dropout:
            _set_random_state(self._device, randomness)
        with self._ascended(), _constant_statistics(self._normalizations):
            closure()
        self._optimizer.step()
        return loss

    @contextmanager
    def _ascended(self) -> Iterator[None]:
        """Ascend along the present gradients, and return to exactly the same weights."""
        names = [name for name, weight in self._parameters.items() if weight.grad is not None]
        weights: list[Tensor] = [self._parameters[name] for name in names]
        with torch.no_grad():
            origin = [weight.clone() for weight in weights]
            torch._foreach_add_(weights, self._ascent(names, weights, [weight.grad for weight in weights]))
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(weights, origin)

    def _ascent(self, names: list[str], weights: list[Tensor], gradients: list[Any]) -> tuple[Tensor, ...]:
        """rho g / |g|, the norm over all tensors together."""
        return torch._foreach_mul(gradients, self._rho / (nn.utils.get_total_norm(gradients) + TINY))


class Asam(Sam):
    """SAM in a ball stretched along each weight by its size, so that rescaling a weight changes nothing."""

    def __init__(self, optimizer: Optimizer, model: nn.Module, settings: AsamSettings) -> None:
        super().__init__(optimizer, model, settings)
        self._eta = settings.eta
        self._tensor_names = {name for name in self._parameters if settings.scaled == "all" or "weight" in name}

    def _ascent(self, names: list[str], weights: list[Tensor], gradients: list[Any]) -> tuple[Tensor, ...]:
        """rho t^2 g / |t g|: t is |w| + eta for a scaled tensor, 1 for others."""
        sizes = [
            weight.abs() + self._eta if name in self._tensor_names else torch.ones_like(weight)
            for name, weight in zip(names, weights, strict=True)
        ]
        products = torch._foreach_mul(sizes, gradients)
        factor = self._rho / (nn.utils.get_total_norm(products) + TINY)
        return torch._foreach_mul(torch._foreach_mul(sizes, products), factor)


@contextmanager
def _constant_statistics(normalizations: Sequence[_BatchNorm]) -> Iterator[None]:
    """Normalize by the batch as usual, but leave the running statistics unchanged."""
    modules = [module for module in normalizations if module.track_running_stats]
    for module in modules:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in modules:
            module.track_running_stats = True


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
