"""Draws of tokens, from each item's own random numbers.

They are drawn on the CPU in float32, as the official programs do there: an item with the seed of an official run gets
the tokens of that run.
"""

import torch
from torch import Tensor

from codecfake.generators.model_settings import TokenSampling


def random_numbers(seed: int) -> torch.Generator:
    """The random numbers of one item."""
    return torch.Generator().manual_seed(seed)


def probabilities(logits: Tensor, sampling: TokenSampling) -> Tensor:
    """Probabilities `[..., V]` of the next token."""
    scaled = logits.float() / sampling.temperature
    if sampling.top_k is not None:
        least = scaled.topk(min(sampling.top_k, scaled.shape[-1])).values[..., -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    if sampling.top_p < 1:
        scaled = scaled.masked_fill(~_nucleus(scaled, sampling.top_p), -torch.inf)
    return scaled.softmax(-1)


def draw(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """One token `[B]` for each row of probabilities `[B, V]`."""
    return torch.multinomial(probabilities.float().cpu(), 1, generator=generator)[:, 0]


def _nucleus(logits: Tensor, share: float) -> Tensor:
    """Which tokens are the most probable ones that together have at least this share."""
    ordered, places = logits.sort(dim=-1, descending=True)
    probability = ordered.softmax(-1)
    inside = probability.cumsum(-1) - probability <= share
    return torch.zeros_like(inside).scatter(-1, places, inside)
