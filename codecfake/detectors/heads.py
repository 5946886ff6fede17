"""The last layer of a back-end: an embedding `[B, D]` becomes two logits `[B, 2]`, spoof first.

A linear one can also give a logit of each class of source tracing.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codecfake.detectors.back_end_settings import COSINE, LINEAR, SINGLE

KAIMING_SLOPE = 0.25  # of the first direction, as in the published code of OC-Softmax


class SingleLogit(nn.Linear):
    """One logit of bona fide speech; that of spoofs is 0, so that the score is the logit itself."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, 1)

    def forward(self, embedding: Tensor) -> Tensor:
        logit = super().forward(embedding)
        return torch.cat((torch.zeros_like(logit), logit), dim=1)


class Cosine(nn.Module):
    """The cosine of an embedding and a learned direction of bona fide speech, and its negative, as in OC-Softmax.

    The weight is `[D, 1]`, as in AntiDeepfake; AIR-ASVspoof stores the same numbers as `center` `[1, D]`.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(1, dimension), a=KAIMING_SLOPE).T.contiguous())

    def forward(self, embedding: Tensor) -> Tensor:
        cosine = F.normalize(embedding, dim=1) @ F.normalize(self.weight, dim=0)
        return torch.cat((-cosine, cosine), dim=1)


_OF_TWO_CLASSES: dict[str, Callable[[int], nn.Module]] = {SINGLE: SingleLogit, COSINE: Cosine}


def head(kind: str, dimension: int, num_classes: int = 2) -> nn.Module:
    """The last layer of a kind in `HEADS`; only a linear one has other than two classes."""
    return nn.Linear(dimension, num_classes) if kind == LINEAR else _OF_TWO_CLASSES[kind](dimension)
