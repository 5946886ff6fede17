"""Threads that work before and after the codec, in order, so that a GPU does not wait for FLAC or resampling.

Threads suffice, because decoding, hashing, resampling and encoding of audio release Python's lock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")
Result = TypeVar("Result")


class Helpers:
    """Threads that apply functions to streams of items. With 0 threads, the caller's thread does it on demand.

    The items in a queue have at most the total size `most`; a larger item is queued alone. Results have the order of
    the items, whatever the number of threads; an error is raised in place of its result. A context manager: on exit,
    waiting items are canceled.
    """

    def __init__(self, threads: int, most: float) -> None:
        self._pool = ThreadPoolExecutor(threads, "helper") if threads else None
        self._most = most

    def __enter__(self) -> "Helpers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def ahead(
        self, function: Callable[[Item], Result], items: Iterable[Item], size: Callable[[Item], float]
    ) -> Iterator[Result]:
        """Results for a caller that is busy between items: the queue is filled before each result is returned."""
        return self._in_order(function, items, size, at_once=False)

    def behind(
        self, function: Callable[[Item], Result], items: Iterable[Item], size: Callable[[Item], float]
    ) -> Iterator[Result]:
        """Results of items that arrive slowly: each result is returned as soon as it is ready, before the next item."""
        return self._in_order(function, items, size, at_once=True)

    def _in_order(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        size: Callable[[Item], float],
        at_once: bool,
    ) -> Iterator[Result]:
        if self._pool is None:
            yield from map(function, items)
            return
        queue: deque[tuple[Future[Result], float]] = deque()
        queued = 0.0
        for item in items:
            while queue and (queued + size(item) > self._most or (at_once and queue[0][0].done())):
                future, size_of_first = queue.popleft()
                queued -= size_of_first
                yield future.result()
            queue.append((self._pool.submit(function, item), size(item)))
            queued += size(item)
        while queue:
            yield queue.popleft()[0].result()


def to_cpu(wavs: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """An asynchronous copy in the CPU's memory, and the event after which it is complete."""
    if not wavs.is_cuda:
        return wavs, None
    copy = torch.empty(wavs.shape, dtype=wavs.dtype, pin_memory=True)
    copy.copy_(wavs, non_blocking=True)
    arrived = torch.cuda.Event()
    arrived.record()
    return copy, arrived
