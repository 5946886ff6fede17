"""Codebooks on a pretended CUDA device: they learn what they learn on the CPU, without waits for each of them."""

import pytest
import torch
from pretended_cuda import CUDA, Observations, pretended_cuda
from torch import Tensor

from codec_wrappers.networks.soundstream import Quantizer

STEPS, DIMENSION, CODES = 4, 3, 8
DECAY = 0.2  # a code without uses is dead after two steps


def trained(number: int, device: torch.device, observations: Observations | None = None) -> tuple[Quantizer, list[int]]:
    """A quantizer of `number` codebooks after some steps, and the waits of each step."""
    torch.manual_seed(0)
    quantizer = Quantizer(number, CODES, DIMENSION, DECAY).to(device).train()
    waits = []
    for step in range(STEPS):
        latent = latents(step).to(device)
        torch.manual_seed(step)
        if observations is not None:
            observations.clear()
        quantizer(latent)
        waits.append(0 if observations is None else observations.num_waits)
    return quantizer, waits


def latents(step: int) -> Tensor:
    """`[2, DIMENSION, 20]`; they move, so that codes die."""
    generator = torch.Generator().manual_seed(step)
    return torch.randn(2, DIMENSION, 20, generator=generator) * 0.1 + 3 * step


@pytest.mark.parametrize("number", [1, 6])
def test_a_step_waits_once_whatever_the_number_of_codebooks(number: int) -> None:
    with pretended_cuda() as observations:
        _, waits = trained(number, CUDA, observations)
    assert waits[1:] == [1] * (STEPS - 1)


def test_a_codebook_learns_and_revives_its_dead_codes_as_on_the_cpu() -> None:
    expected, _ = trained(1, torch.device("cpu"))
    rows = latents(STEPS - 1).transpose(1, 2).flatten(0, 1)
    assert (expected.weight[0][:, None] == rows).all(dim=2).any(), "no code was revived in the last step"
    with pretended_cuda():
        quantizer, _ = trained(1, CUDA)
        state = {name: tensor.cpu() for name, tensor in quantizer.state_dict().items()}
    for name, tensor in expected.state_dict().items():
        torch.testing.assert_close(state[name], tensor, atol=1e-6, rtol=0)
