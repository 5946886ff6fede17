"""Moving sums of codebooks, which weights in half precision leave out: each is the vectors times their counts.

Only training needs them. They are a sixth of the weights of a small codec.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

# the sums, the vectors, and the counts of a codebook, as EnCodec's descendants and SoundStream name them
NAMES = (("embed_avg", "embed", "cluster_size"), ("running_mean", "weight", "code_relative_frequency"))


def drop(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without the moving sums."""
    sums = {name for name, _, _ in _books(tensors)}
    return {name: tensor for name, tensor in tensors.items() if name not in sums}


def restore(tensors: Mapping[str, Tensor], reference: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with the moving sums that `reference` has and they lack, if vectors and counts are there."""
    restored = dict(tensors)
    for sums, vectors, counts in _books(reference):
        if sums not in tensors and vectors in tensors and counts in tensors:
            restored[sums] = _scaled(tensors[vectors].float(), tensors[counts].float())
    return restored


def _books(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str, str]]:
    for sums, vectors, counts in NAMES:
        for name in tensors:
            prefix, dot, last = name.rpartition(".")
            book = (name, prefix + dot + vectors, prefix + dot + counts)
            if last == sums and book[1] in tensors and book[2] in tensors and not _is_square(tensors[book[1]]):
                yield book


def _is_square(vectors: Tensor) -> bool:
    # such a codebook does not tell whether its vectors are rows or columns
    return vectors.shape[-1] == vectors.shape[-2]


def _scaled(vectors: Tensor, counts: Tensor) -> Tensor:
    """Vectors times counts; AudioDec's codebooks have a vector in each column, all others in each row."""
    if vectors.shape[:-1] == counts.shape:
        return vectors * counts[..., None]
    return vectors * torch.atleast_2d(counts)
