"""Frozen front-ends with half the bits, which is faster on GPUs; checks that features and scores hardly change."""

import copy
import logging

import torch
from torch import Tensor, nn

from codecfake.features.settings import EXACT, PRECISIONS

DTYPES = {name: getattr(torch, name) for name in PRECISIONS}
LARGEST_ERROR = 0.05  # of features, relative; bfloat16 has 8 significant bits, and XLS-R with random weights has 0.01
PRODUCTS = (nn.Linear, nn.modules.conv._ConvNd)  # autocast rounds their weights to the lower precision
LARGEST_SHIFT = 0.1  # of scores, in their standard deviations

log = logging.getLogger(__name__)


class PrecisionError(ValueError):
    """A front-end needs more bits."""


def run(front_end: nn.Module, wav: Tensor, precision: str) -> Tensor:
    """Features in float32 `[B, F, D]`, computed in `precision`."""
    if precision == EXACT:
        return front_end(wav)
    with torch.autocast(wav.device.type, DTYPES[precision]):
        return front_end(wav).float()


@torch.no_grad()
def rounded(front_end: nn.Module, precision: str) -> nn.Module:
    """A frozen front-end whose products have their weights in `precision`: `run` gives the same bits with it.

    Autocast would round the weights of each batch again. All other tensors are those of `front_end`.
    """
    if precision == EXACT:
        return front_end
    own = {id(tensor): tensor for tensor in (*front_end.parameters(), *front_end.buffers())}
    for module in front_end.modules():
        if isinstance(module, PRODUCTS):
            for weight in module.parameters(recurse=False):
                own[id(weight)] = nn.Parameter(weight.to(DTYPES[precision]), requires_grad=False)
    return copy.deepcopy(front_end, own)


@torch.no_grad()
def require_small_error(front_end: nn.Module, wav: Tensor, precision: str) -> None:
    """Raise PrecisionError if the features of these clips change by more than LARGEST_ERROR of their norm."""
    exact = front_end(wav)
    error = ((run(front_end, wav, precision) - exact).norm() / exact.norm()).item()
    log.info("front_end_precision %s moves features by %.2g of their norm", precision, error)
    if not error <= LARGEST_ERROR:
        raise PrecisionError(
            f"front_end_precision {precision} moves the features of {len(wav)} clips by {error:.2g} of their norm; "
            f"at most {LARGEST_ERROR} is allowed: train with front_end_precision {EXACT}"
        )


def require_small_shift(scores: Tensor, exact: Tensor, spread: Tensor, precision: str) -> None:
    """Raise PrecisionError if `scores` `[N]` differ from the `exact` ones by more than LARGEST_SHIFT of `spread`."""
    shift = ((scores - exact).abs().max() / spread).item()
    log.info("front_end_precision %s moves %d scores by at most %.2g of their spread", precision, len(scores), shift)
    if not shift <= LARGEST_SHIFT:
        raise PrecisionError(
            f"front_end_precision {precision} moves scores by up to {shift:.2g} of their standard deviation; at most "
            f"{LARGEST_SHIFT} is allowed: train and score with front_end_precision {EXACT}"
        )
