"""Training of the codebooks of EnCodec, SpeechTokenizer and FunCodec: moving averages in the packages' own tensors.

The packages' training code loses codes: it does not scale a new codebook's averages by its counts, it overwrites a
revived code in the same step, and only the first codebook pulls the encoder toward its codes. Ours follows their
papers. For encoding and decoding, the packages' code is used.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from codec_wrappers.networks.codebooks import AveragedCodebook, Codebook
from codec_wrappers.networks.quantizers import Quantization, ResidualQuantizer

DECAY = 0.99


class _Chain(ResidualQuantizer):
    def __init__(self, books: Sequence[Codebook]) -> None:
        super().__init__()
        self._books = books

    def stages(self) -> list[list[Codebook]]:
        return [[book] for book in self._books]


def follow(latent: Tensor, books: Sequence[Any], learn: bool = True) -> Quantization:
    """Quantize latent `[B, D, F]` with the packages' codebooks, coarse first, and update them in place if `learn`.

    A codebook has the tensors `embed` and `embed_avg` `[N, D]`, `cluster_size` `[N]` and `inited` `[1]`.
    """
    for book in books:
        book.inited.fill_(1)
    chain = _Chain([AveragedCodebook(book.embed, book.cluster_size, DECAY, book.embed_avg) for book in books])
    return chain.train(learn)(latent)


def random_prefix(books: Sequence[Any], share: float) -> Sequence[Any]:
    """The codebooks of a training step: the first 1, 2, 4, … or all, so that every bit rate decodes well.

    The number is random (torch's default generator) in this share of the steps, and all in the others. While any
    codebook is new, all are used, because they start from one batch together.
    """
    if not torch.stack([book.cluster_size.any() for book in books]).all():
        return books
    if share < 1 and torch.rand(()) >= share:
        return books
    choices = [2**power for power in range(len(books).bit_length()) if 2**power < len(books)] + [len(books)]
    return books[: choices[int(torch.randint(len(choices), ()))]]
