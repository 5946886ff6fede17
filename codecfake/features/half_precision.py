"""Features in half precision (float16), the same whether they are computed for a batch or were stored before.

Sums depend on the size of a batch in their last digits, and rounding turns some of these differences into larger ones.
So a front-end whose features are rounded always gets batches of one size, whatever the trials beside a clip are: of one
clip on a CPU, and of GPU_CLIPS on a GPU.
"""

from collections.abc import Callable

import torch
from torch import Tensor

LARGEST = 65504
GPU_CLIPS = 32


class HalfPrecisionError(RuntimeError):
    """Features exceed half precision."""


def computed(front_end: Callable[[Tensor], Tensor], wav: Tensor) -> Tensor:
    """The features of clips `[B, T]`, rounded to half precision, in float32. Raises HalfPrecisionError."""
    if wav.device.type == "cpu":
        return rounded(torch.cat([front_end(clip) for clip in wav.split(1)])).float()
    return rounded(torch.cat([_of_full_batch(front_end, piece) for piece in wav.split(GPU_CLIPS)])).float()


def _of_full_batch(front_end: Callable[[Tensor], Tensor], wav: Tensor) -> Tensor:
    """Features of at most GPU_CLIPS clips, computed in a batch of that size."""
    repeated = wav[:1].expand(GPU_CLIPS - len(wav), -1)
    return front_end(torch.cat([wav, repeated]))[: len(wav)]


def rounded(features: Tensor) -> Tensor:
    """Features in float16. Raises HalfPrecisionError if one is too large or not finite."""
    half = features.half()
    if not torch.isfinite(half).all():
        raise HalfPrecisionError(
            f"features reach {features.abs().max().item():.3g}, above the maximum of half precision, {LARGEST}; "
            f"set feature_precision to float32, and cache_features to memory or none"
        )
    return half
