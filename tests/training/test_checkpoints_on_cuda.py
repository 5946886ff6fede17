"""A checkpoint on a pretended CUDA device: what belongs to the CPU comes back there."""

from pathlib import Path

import torch
from pretended_cuda import CUDA, CudaTensor, pretended_cuda
from torch import nn

from codecfake.training import checkpoint
from codecfake.training.checkpoint import Progress


def test_restored_scores_and_step_counts_are_on_the_cpu_and_weights_on_the_gpu(tmp_path: Path) -> None:
    with pretended_cuda() as observations:
        network, optimizer = after_a_step()
        progress = Progress(epoch=1, best_epoch=1, best_scores=torch.tensor([0.5, 0.25]))
        checkpoint.save(tmp_path / "checkpoint.pt", progress, network, optimizer, "run")
        other, other_optimizer = after_a_step()
        restored = checkpoint.restore(tmp_path / "checkpoint.pt", other, other_optimizer, "run")
        assert restored.best_scores is not None
        assert restored.best_scores.numpy().tolist() == [0.5, 0.25]
        assert isinstance(other.weight, CudaTensor)
        states = list(other_optimizer.state.values())
        assert {state["exp_avg"].device for state in states} == {CUDA}
        observations.clear()
        other_optimizer.step()
        assert observations.num_waits == 0


def after_a_step() -> tuple[nn.Linear, torch.optim.Adam]:
    network = nn.Linear(3, 2).to(CUDA)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3, device=CUDA)).sum().backward()
    optimizer.step()
    return network, optimizer
