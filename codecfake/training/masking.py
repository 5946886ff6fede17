"""Masking of spans in training: SpecAugment (Park et al. 2019), as wav2vec 2.0 uses it (Baevski et al. 2020).

It draws from torch's generator alone, so that a step depends only on its seed; transformers draws from numpy's.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPAN = 10  # frames, or dimensions, that are masked together


class Masking:
    """Masks the input of the first block `[B, F, D]`: spans of frames, and spans of feature dimensions.

    Shares are those of masks without overlaps; where spans overlap, less is masked. Masked frames become the model's
    mask embedding, or zero if it has none; masked dimensions become zero.
    """

    def __init__(self, share_of_frames: float, share_of_dimensions: float) -> None:
        self._frames, self._dimensions = share_of_frames, share_of_dimensions
        self._embedding: Tensor | None = None
        self.is_on = False

    def __bool__(self) -> bool:
        return bool(self._frames or self._dimensions)

    def watch(self, network: Any) -> None:
        """Mask the output of the feature projection of a network of transformers, while `is_on`."""
        self._embedding = getattr(network, "masked_spec_embed", None)
        network.feature_projection.register_forward_hook(self)

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Any:
        if not self.is_on:
            return None
        if isinstance(output, tuple):  # wav2vec 2.0 and WavLM give the normalized features, too
            return self._masked(output[0]), *output[1:]
        return self._masked(output)

    def _masked(self, hidden: Tensor) -> Tensor:
        num_items, num_frames, num_dimensions = hidden.shape
        if self._frames:
            mask = spans(num_items, num_frames, self._frames, hidden.device)[:, :, None]
            embedding = hidden.new_zeros(()) if self._embedding is None else self._embedding.to(hidden.dtype)
            hidden = torch.where(mask, embedding, hidden)
        if self._dimensions:
            mask = spans(num_items, num_dimensions, self._dimensions, hidden.device)[:, None]
            hidden = hidden.masked_fill(mask, 0.0)
        return hidden


def spans(num_items: int, length: int, share: float, device: torch.device) -> Tensor:
    """A mask `[B, length]` of spans that begin with equal probability at each point, also before the first one."""
    starts = torch.rand(num_items, 1, length + SPAN - 1, device=device) < share / SPAN
    return F.max_pool1d(starts.float(), SPAN, 1)[:, 0] > 0
