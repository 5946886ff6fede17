"""Decoding with the codebooks of the packages for EnCodec, SpeechTokenizer and FunCodec."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

LookUp = Callable[[Tensor], Tensor]  # vectors [B, D, F] of codes [B, F]


def sum_of_vectors(codes: Tensor, books: Iterable[LookUp]) -> Tensor:
    """The latent `[B, D, F]` of codes `[Q, B, F]`, with the bits of the packages' own sum.

    The packages copy the zero at its start from the CPU, and a GPU waits for that.
    """
    latent = torch.zeros((), device=codes.device)
    for indices, look_up in zip(codes, books, strict=False):
        latent = latent + look_up(indices)
    return latent
