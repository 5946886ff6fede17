"""What the trained codecs with moving-average codebooks share (EnCodec, SpeechTokenizer, FunCodec)."""

import torch
from torch import nn


def set_kmeans_iters(network: nn.Module, iterations: int) -> None:
    """Iterations of the k-means that fills each codebook at its first training batch; the packages fix 50."""
    for module in network.modules():
        if hasattr(module, "kmeans_iters"):
            setattr(module, "kmeans_iters", iterations)  # noqa: B010 (mypy knows no such attribute)


def random_prefix(num_quantizers: int) -> int:
    """How many codebooks a training step uses: 1, 2, 4, … or all, so that every bit rate decodes well.

    Drawn from torch's default generator.
    """
    choices = [n for n in (2**power for power in range(num_quantizers.bit_length())) if n < num_quantizers]
    choices.append(num_quantizers)
    return choices[int(torch.randint(len(choices), ()))]
