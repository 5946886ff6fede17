"""Peak memory of a computation's tensors, with the same count on every CPU."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")


def peak_bytes(compute: Callable[[], T], device: torch.device) -> tuple[T, int]:
    """The result of `compute`, and the peak memory in bytes of the tensors that it creates.

    Temporary memory inside an operation, such as a convolution, counts on CUDA only.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        result = compute()
        return result, torch.cuda.max_memory_allocated(device) - before
    with _LiveStorages() as live:
        result = compute()
    return result, live.peak


class _LiveStorages(TorchDispatchMode):
    """Sums the storages of the tensors that operations return, while they exist."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._sizes: dict[int, int] = {}
        self._total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        for tensor in _tensors(output):
            self._add(tensor.untyped_storage())
        return output

    def _add(self, storage: Any) -> None:
        key = storage._cdata
        if key not in self._sizes:
            self._sizes[key] = storage.nbytes()
            self._total += storage.nbytes()
            self.peak = max(self.peak, self._total)
            weakref.finalize(storage, self._drop, key)

    def _drop(self, key: int) -> None:
        self._total -= self._sizes.pop(key)


def _tensors(output: object) -> Iterable[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, tuple | list):
        for part in output:
            yield from _tensors(part)
