"""A team of processes: the parts of a batch, what is whole again, and how a team ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from places import ROOT
from torch.utils.data import DataLoader

from codecfake.base import parallel
from codecfake.base.parallel import ALONE, ParallelError, Team

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 6, 7])
def test_the_parts_of_a_batch_are_equally_long_and_are_the_batch_together(size: int, length: int) -> None:
    batch = np.arange(100, 100 + length)
    parts = [Team(rank, size).part(batch) for rank in range(size)]
    assert len({len(part) for part in parts}) == 1
    assert len(parts[0]) == -(-length // size)
    assert np.concatenate(parts)[:length].tolist() == batch.tolist()


def test_one_process_changes_nothing() -> None:
    part, state = torch.ones(2, 3), torch.get_rng_state()
    assert ALONE.whole(part, 2) is part
    with ALONE.own_randomness(CPU):
        assert torch.equal(torch.get_rng_state(), state)
    assert ALONE.is_first


def exchange(folder: Path, device: torch.device, team: Team) -> None:
    """Write what a process of a team gets: a whole batch of 3, its gradient, and random numbers in and out."""
    torch.manual_seed(0)
    with team.own_randomness(device):
        pass
    untouched = torch.rand(2)
    draws = []
    for _ in range(2):
        with team.own_randomness(device):
            draws.append(torch.rand(2))
    inside, outside = torch.cat(draws), torch.rand(2)
    part = torch.full((2, 2), float(team.rank)).requires_grad_()
    whole = team.whole(part, 3)
    (whole * torch.tensor([[1.0], [2.0], [3.0]])).sum().backward()
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    for weight in weights:
        weight.grad = torch.tensor([1.0 + team.rank])
    team.add_gradients(weights[:1])
    team.copy_gradients(weights[1:])
    results = [whole.detach(), part.grad, inside, outside, untouched, *(weight.grad for weight in weights)]
    torch.save(results, folder / f"{team.rank}.pt")


@pytest.mark.long
def test_a_team_shares_batches_and_gradients(tmp_path: Path) -> None:
    parallel.run(exchange, {"folder": tmp_path}, [CPU, CPU])
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    whole, gradient, inside, outside, untouched, added, copied = first
    assert whole.tolist() == second[0].tolist() == [[0, 0], [0, 0], [1, 1]]
    assert gradient.tolist() == [[1, 1], [2, 2]]
    assert second[1].tolist() == [[3, 3], [0, 0]]
    assert len(set(inside.tolist() + second[2].tolist())) == 8
    assert torch.equal(outside, second[3])
    torch.manual_seed(0)
    assert untouched.tolist() == second[4].tolist() == torch.rand(2).tolist()
    assert added.item() == second[5].item() == 3
    assert copied.item() == second[6].item() == 1


def fail(folder: Path, device: torch.device, team: Team) -> None:
    """The second process fails while the first waits for it."""
    if not team.is_first:
        raise ValueError("a reason of its own")
    team.whole(torch.zeros(1, 1), 2)


@pytest.mark.long
def test_the_failure_of_one_process_ends_all_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParallelError, match="process 1 of 0 to 1 of this training failed; its own error is above, and"):
        parallel.run(fail, {"folder": tmp_path}, [CPU, CPU])


def read_with_a_worker(folder: Path, device: torch.device, team: Team) -> None:
    """Write what a process's own worker has read."""
    values = [int(item) for item in DataLoader([10, 11], batch_size=None, num_workers=1)]  # type: ignore[arg-type]
    (folder / f"{team.rank}.txt").write_text(str(values))


@pytest.mark.long
def test_every_process_can_have_workers_of_its_own(tmp_path: Path) -> None:
    parallel.run(read_with_a_worker, {"folder": tmp_path}, [CPU, CPU])
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in (0, 1)] == ["[10, 11]", "[10, 11]"]


def wait(folder: Path, device: torch.device, team: Team) -> None:
    """Write the process's number, and wait."""
    (folder / f"{team.rank}.pid").write_text(str(os.getpid()))
    time.sleep(600)


WAIT = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(":")
import torch
from codecfake.base import parallel
from test_parallel import CPU, wait
if __name__ == "__main__":
    parallel.run(wait, {"folder": Path(sys.argv[1])}, [CPU, CPU])
"""


@pytest.mark.long
def test_a_team_ends_with_its_first_process_also_when_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "wait_in_a_team.py"
    script.write_text(WAIT)
    first = subprocess.Popen([sys.executable, str(script), str(tmp_path), ":".join(sys.path)], cwd=ROOT)
    member = _number_in(tmp_path / "1.pid")
    _number_in(tmp_path / "0.pid")
    first.send_signal(signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 60
    while _is_alive(member) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_alive(member)


def _number_in(path: Path) -> int:
    """The number that a process writes; waits for it."""
    deadline = time.monotonic() + 300
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"no process wrote {path.name}"
        time.sleep(0.1)
    return int(path.read_text())


def _is_alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
