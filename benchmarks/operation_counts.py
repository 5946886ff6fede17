"""Counts the floating-point operations and the kernel launches of a network on fake tensors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

VIEWS = {  # and what allocates memory, or asks a tensor about itself
    "view", "_unsafe_view", "expand", "permute", "transpose", "t", "select", "slice", "unsqueeze", "squeeze",
    "detach", "alias", "as_strided", "split", "split_with_sizes", "unbind", "unfold", "view_as_real", "real",
    "imag", "empty", "empty_like", "new_empty", "lift_fresh", "device", "_local_scalar_dense",
}  # fmt: skip


@dataclass(frozen=True)
class Operations:
    flop: float = 0.0
    launches: float = 0.0

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(self.flop + other.flop, self.launches + other.launches)

    def __mul__(self, factor: float) -> "Operations":
        return Operations(self.flop * factor, self.launches * factor)

    def per(self, batch: float) -> dict[str, float]:
        """The entry of the table for a batch of this many seconds or clips."""
        return {"gflop": _rounded(self.flop / batch / 1e9), "launches": round(self.launches), "batch": _rounded(batch)}


Entries = Iterator[tuple[str, dict[str, float]]]


@contextmanager
def fake_tensors() -> Iterator[None]:
    """Tensors have shapes, but no data."""
    # parameters cannot be replaced here, so modules keep their device and memory format
    with FakeTensorMode(), mock.patch.object(nn.Module, "to", lambda module, *_, **__: module):
        yield


def count(work: Callable[[], object]) -> Operations:
    """Of what `work` computes, without gradients."""
    launches, flops = _Launches(), FlopCounterMode(display=False)
    with torch.no_grad(), _lstms() as of_lstms, flops, launches:
        work()
    return Operations(flops.get_total_flops(), launches.number) + sum(of_lstms, Operations())


class _Launches(TorchDispatchMode):
    """Counts operations that are not views; what code reads from a fake tensor is zero."""

    number = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.split("::")[1]
        self.number += name not in VIEWS
        return 0 if name == "_local_scalar_dense" else func(*args, **(kwargs or {}))


@contextmanager
def _lstms() -> Iterator[list[Operations]]:
    """Let LSTMs return outputs without computing, and collect their operations."""
    calls: list[Operations] = []

    def forward(self: nn.LSTM, inputs: Tensor, state: Any = None) -> tuple[Tensor, None]:
        directions, hidden = 1 + self.bidirectional, self.hidden_size
        steps = inputs.shape[0] * inputs.shape[1]
        sizes = [self.input_size, *[hidden * directions] * (self.num_layers - 1)]
        # four gates, each a product with the input and with the state
        flop = sum(2 * 4 * hidden * (size + hidden) * steps * directions for size in sizes)
        calls.append(Operations(flop, 1))
        return inputs.new_empty(*inputs.shape[:2], hidden * directions), None

    with mock.patch.object(nn.LSTM, "forward", forward):
        yield calls


def _rounded(number: float) -> float:
    return float(f"{number:.3g}")
