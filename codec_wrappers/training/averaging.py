"""The moving average of a codec's weights over its training, which is then validated and kept in their place.

As audiocraft trains EnCodec: all floating-point tensors of the codec, its codebooks too, are averaged after every step,
and the average is divided by the sum of its factors, so that it does not depend on the fresh weights.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightsAverage(nn.Module):
    """The average, as buffers that a checkpoint keeps; without a `decay`, it has none and changes nothing."""

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        super().__init__()
        self._decay = decay
        self._networks = (network,)  # in a tuple, so that its weights are not this module's
        if decay is not None:
            for name, tensor in _weights(network).items():
                self.register_buffer(_key(name), tensor.clone())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Add the weights after a step, of which the first is 1."""
        if self._decay is None:
            return
        weights = _weights(self._networks[0])
        averages = [self.get_buffer(_key(name)) for name in weights]
        # the weights of k steps ago have the factor decay^k, divided by the sum of all
        torch._foreach_lerp_(averages, list(weights.values()), (1 - self._decay) / (1 - self._decay**step))

    @contextmanager
    def in_use(self, step: int) -> Iterator[None]:
        """Inside, the network has the average after `step` steps, of which there must be one."""
        if self._decay is None or step == 0:
            yield
            return
        weights = {name: tensor.clone() for name, tensor in _weights(self._networks[0]).items()}
        _set(self._networks[0], {name: self.get_buffer(_key(name)) for name in weights})
        try:
            yield
        finally:
            _set(self._networks[0], weights)


def _weights(network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a checkpoint that can be averaged."""
    return {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}


@torch.no_grad()
def _set(network: nn.Module, values: dict[str, Tensor]) -> None:
    for name, tensor in _weights(network).items():
        tensor.copy_(values[name])


def _key(name: str) -> str:
    """A name that a buffer can have."""
    return name.replace(".", "/")
