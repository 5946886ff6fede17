"""Portions of a batch: together they are the batch, and what the processes compute adds up to that of one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from codecfake.base import parallel
from codecfake.base.parallel import ParallelError, Team
from codecfake.base.portions import WHOLE, Portion

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [5, 6, 7])
def test_portions_are_the_batch_together_and_nearly_equally_long(size: int, length: int) -> None:
    batch = np.arange(length)
    portions = [Portion(Team(rank, size), length) for rank in range(size)]
    parts = [batch[portion.rows] for portion in portions]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert sum(portion.share for portion in portions) == pytest.approx(1)


def test_a_batch_with_fewer_rows_than_processes_is_refused() -> None:
    with pytest.raises(ParallelError, match="a batch of 2 cannot be divided among 3 processes; give this job at most"):
        Portion(Team(0, 3), 2)


def test_one_process_changes_nothing() -> None:
    part = torch.rand(3, 2)
    assert WHOLE.whole(part) is WHOLE.over_batch(part) is WHOLE.divided(part) is part
    assert torch.equal(WHOLE.total(part), part)


def exchange(folder: Path, device: torch.device, team: Team) -> None:
    """Write what a process gets of a batch of 3, the gradient of its part, and the totals."""
    portion = Portion(team, 3)
    part = torch.tensor([[1.0], [2.0], [3.0]])[portion.rows].requires_grad_()
    whole = portion.whole(part)
    # every process computes the first loss from the whole batch, and the second from its own rows
    (portion.divided(whole.square().sum()) + 10 * whole[portion.rows].sum()).backward()
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.full((2,), 1.0 + team.rank)
    team.add_gradients([weight])
    layer = torch.nn.BatchNorm1d(1)
    layer.running_mean.fill_(team.rank + 5)
    team.copy_state(layer)
    first = team.of_first(torch.tensor(float(team.rank) + 7))
    mean = portion.total(portion.over_batch(part.mean()))
    torch.save([whole.detach(), part.grad, weight.grad, layer.running_mean, first, mean], folder / f"{team.rank}.pt")


@pytest.mark.long
def test_a_team_shares_batches_gradients_and_states(tmp_path: Path) -> None:
    parallel.run(exchange, {"folder": tmp_path}, [CPU, CPU])
    results = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    for whole, _, gradient, buffer, first, mean in results:
        assert whole.tolist() == [[1], [2], [3]]
        assert gradient.tolist() == [3, 3]
        assert (buffer.item(), first.item(), mean.item()) == (5, 7, 2)
    assert [result[1].flatten().tolist() for result in results] == [[12], [14, 16]]
