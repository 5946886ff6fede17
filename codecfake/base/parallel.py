"""Several processes of this machine, each with a device of its own, that train one network together.

Every process has the same weights and takes a part of each batch. What they compute is that of one process with the
whole batch, up to rounding: results are gathered where a batch must be whole, and gradients are added.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing import get_context

from codecfake.base import devices as device_settings

LONGEST_WAIT = timedelta(hours=2)  # of one process for another, such as for the checks of a first batch
NUMBERS_AT_ONCE = 2**24  # of gradients in one message: 64 MB
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_END = 60.0  # at most, for a process that has failed


class ParallelError(RuntimeError):
    """The processes of a training cannot work together."""


@dataclass(frozen=True)
class Team:
    """This process among those of a training; the first one, with rank 0, writes what they make."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def part(self, batch: np.ndarray) -> np.ndarray:
        """This process's part of a batch: parts are equally long, the last ones by repeating trials of the batch."""
        length = -(-len(batch) // self.size)
        return np.resize(batch, length * self.size)[self.rank * length : (self.rank + 1) * length]

    def whole(self, part: Tensor, length: int) -> Tensor:
        """The batch of `length` of which every process has a part `[B, …]`; gradients flow to this process's part."""
        return part if self.size == 1 else _Whole.apply(part, self)[:length]

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by the sum of those of all processes."""
        if self.size > 1:
            for gradients in _bundles(_gradients(parameters)):
                total = torch.cat([gradient.flatten() for gradient in gradients])
                dist.all_reduce(total)
                for gradient, own in zip(gradients, total.split([each.numel() for each in gradients]), strict=True):
                    gradient.copy_(own.view_as(gradient))

    def copy_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by that of the first process, which has the same but for rounding."""
        if self.size > 1:
            for gradient in _gradients(parameters):
                dist.broadcast(gradient, 0)

    def copy_state(self, *modules: nn.Module) -> None:
        """Replace all parameters and buffers by those of the first process."""
        if self.size > 1:
            for module in modules:
                for tensor in (*module.parameters(), *module.buffers()):
                    dist.broadcast(tensor.detach(), 0)

    def of_first(self, values: Tensor) -> Tensor:
        """The values that the first process has; the others give a tensor of the same shape."""
        if self.size > 1:
            dist.broadcast(values, 0)
        return values

    @contextmanager
    def own_randomness(self, device: torch.device) -> Iterator[None]:
        """Inside, each process draws other random numbers; outside, all draw the same ones.

        If nothing is drawn inside, those outside are the ones that one process draws.
        """
        if self.size == 1:
            yield
            return
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**62, (1,), device=device).item()) + self.rank)
            state = _random_state(device)
            yield
            is_used = not torch.equal(_random_state(device), state)
        if is_used:
            torch.rand(1, device=device)  # or the next call would draw the same numbers


ALONE = Team()


class _Whole(torch.autograd.Function):
    # Every process computes the same loss of the whole batch, so the gradient of its part is a slice.

    @staticmethod
    def forward(ctx: Any, part: Tensor, team: Team) -> Tensor:
        ctx.team, ctx.length = team, len(part)
        parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(team.size)]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return gradient[ctx.team.rank * ctx.length : (ctx.team.rank + 1) * ctx.length], None


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def _bundles(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """The same tensors in lists of at most about NUMBERS_AT_ONCE numbers; each message costs time, however short."""
    bundle: list[Tensor] = []
    for gradient in gradients:
        if bundle and sum(each.numel() for each in [*bundle, gradient]) > NUMBERS_AT_ONCE:
            yield bundle
            bundle = []
        bundle.append(gradient)
    if bundle:
        yield bundle


def run(function: Callable[..., None], arguments: Mapping[str, Any], devices: Sequence[torch.device]) -> None:
    """Call `function(**arguments, device=…, team=…)` in one process for each device; this process is the first.

    The others end with it, however it ends. Raises ParallelError if one of them fails, and what the function raises.
    """
    if len(devices) == 1:
        function(**arguments, device=devices[0], team=ALONE)
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"
        context = get_context("spawn")
        work = function, arguments, torch.get_num_threads()
        members = [
            # not daemons, which must not have processes of their own: each member has workers that read audio
            context.Process(target=_member, args=(*work, device, Team(rank, len(devices)), meeting), daemon=False)
            for rank, device in enumerate(devices)
            if rank
        ]
        for member in members:
            member.start()
        try:
            _with_team(*work, devices[0], Team(0, len(devices)), meeting)
        except RuntimeError as error:
            if type(error) is RuntimeError or isinstance(error, dist.DistError):  # other classes are errors of its own
                _require_members(members, error)
            raise
        finally:
            for member in members:
                member.terminate()
                member.join()


def _require_members(members: Sequence[Any], error: Exception) -> None:
    """Raise ParallelError if another process failed, which is why this one did."""
    for member in members:
        member.join(SECONDS_TO_END)
    failed = [str(number) for number, member in enumerate(members, 1) if member.exitcode not in (None, 0)]
    if failed:
        raise ParallelError(
            f"process {', '.join(failed)} of 0 to {len(members)} of this training failed; its own error is above, and "
            f"that of process 0 is: {error}. Fix the cause and give the same command again: training continues from "
            f"its last checkpoint"
        ) from error


def _member(*arguments: Any) -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _with_team(*arguments)


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, also by a kill signal."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


def _with_team(
    function: Callable[..., None],
    arguments: Mapping[str, Any],
    num_threads: int,
    device: torch.device,
    team: Team,
    meeting: Path,
) -> None:
    device_settings.make_repeatable(device)
    torch.set_num_threads(num_threads)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(
        backend, init_method=f"file://{meeting}", rank=team.rank, world_size=team.size, timeout=LONGEST_WAIT
    )
    try:
        function(**arguments, device=device, team=team)
        dist.barrier()
    finally:
        dist.destroy_process_group()
