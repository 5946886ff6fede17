"""Quantization in a training with several processes: each quantizes the latents of the whole batch.

Codebooks then start, learn and are revived as in one process, from the same numbers. It costs little time: quantizers
are small beside the networks around them.
"""

from collections.abc import Callable

from torch import Tensor

from codec_wrappers.networks.quantizers import Quantization
from codecfake.base.portions import Portion


def quantize_batch(portion: Portion | None, latent: Tensor, quantize: Callable[[Tensor], Quantization]) -> Quantization:
    """This process's part of the quantization of all latents, of which it has some, `[B, D, F]`.

    The loss of the batch is divided among the processes. Without a portion, same as `quantize(latent)`.
    """
    if portion is None:
        return quantize(latent)
    rows, batch = portion.rows, quantize(portion.whole(latent))
    coarse = None if batch.coarse is None else batch.coarse[rows]
    return Quantization(batch.latent[rows], batch.codes[rows], portion.divided(batch.loss), coarse)
