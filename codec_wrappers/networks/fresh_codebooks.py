"""Random codebooks for tests: fresh ones are zeros or far from all latents, and would give one code for everything."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

NOISE_LEVEL, NUM_FRAMES = 0.1, 64
SHRINKAGE = 0.3  # toward the mean: the next codebook needs residuals


@torch.no_grad()
def drop_biases(network: nn.Module) -> None:
    """Set all biases to zero: in a random network, they are larger than the speech in its latents."""
    for name, parameter in network.named_parameters():
        if "bias" in name.rpartition(".")[2]:
            parameter.zero_()


@torch.no_grad()
def start_codebooks(
    layers: Iterable[tuple[Any, Tensor]],
    encode: Callable[[Tensor], object],
    hop_length: int,
    method: str = "encode",
) -> None:
    """Start codebooks near the latents of noise.

    Each of `layers` has vectors `[codes, D]` and a method that takes latents `[B, D, F]`. The codec's
    `encode(wav [1, T])` calls the methods in order; on their first call, the vectors are filled.
    """
    layers = list(layers)
    for layer, vectors in layers:
        setattr(layer, method, partial(_start, layer, vectors, method))
    if layers:
        encode(NOISE_LEVEL * torch.randn(1, NUM_FRAMES * hop_length))


def _start(layer: Any, vectors: Tensor, method: str, latents: Tensor) -> Any:
    delattr(layer, method)  # from now on, the method of its class
    rows = latents.transpose(1, 2).flatten(0, 1)
    starts = rows[torch.arange(len(vectors)) % len(rows)]
    vectors.copy_(starts.lerp(rows.mean(dim=0), SHRINKAGE))
    return getattr(layer, method)(latents)
