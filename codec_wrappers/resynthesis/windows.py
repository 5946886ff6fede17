"""Long recordings in bounded memory: overlapping windows go through a codec one at a time.

    window 1   ├───────────── kept ─────────────/··· context ···┤
    window 2               ├··· context ···/───────────── kept ─────…

A frame depends only on a part of its past and future. If that part is shorter than the context, the windows together
give the same result as the whole recording. If a codec has unlimited memory, or normalizes over all time, the result is
an approximation. Seams (`/`) are cross-faded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

SEAM_FRAMES = 1  # of a cross-fade


@dataclass(frozen=True)
class Window:
    """Samples `start` to `end` go through the codec; `first` to `last` of the output are used."""

    start: int
    end: int
    first: int
    last: int  # beyond the next window's `first` by the seam


def cut(num_samples: int, longest: int, context: int, hop_length: int) -> list[Window]:
    """Windows over `num_samples`: the used part of each is at most `longest` plus the seam, between two contexts.

    There are as few windows as possible, of equal length to within a frame, so that no window is too short for its
    statistics. All start at multiples of `hop_length`, to which `longest` is rounded down (but to at least one frame)
    and `context` up (to at least the seam).
    """
    frames = -(-num_samples // hop_length)
    parts = -(-frames // max(1, longest // hop_length))
    around = max(-(-context // hop_length), SEAM_FRAMES)
    edges = [part * frames // parts for part in range(parts + 1)]

    def sample(frame: int) -> int:
        return min(max(0, frame) * hop_length, num_samples)

    return [
        Window(sample(first - around), sample(last + around), sample(first), sample(last + SEAM_FRAMES))
        for first, last in pairwise(edges)
    ]


def in_windows(function: Callable[[Tensor], list[Tensor]], wav: Tensor, windows: Sequence[Window]) -> list[Tensor]:
    """Apply `function` to each window of wav `[B, T]`; returns one `[B, T]` for each output `[B, t]` of the function.

    Only the memory of these waveforms grows with T.
    """
    if len(windows) == 1:
        return function(wav)
    wholes: list[Tensor] = []
    end = 0
    for window in windows:
        parts = function(wav[:, window.start : window.end])
        wholes = wholes or [torch.empty_like(wav) for _ in parts]
        for whole, part in zip(wholes, parts, strict=True):
            _add_part(part[:, window.first - window.start : window.last - window.start], whole, window.first, end)
        end = window.last
    return wholes


def _add_part(part: Tensor, whole: Tensor, first: int, end: int) -> None:
    """Write the used part of a window into `whole` from `first` on, cross-faded with the samples there, up to `end`."""
    seam = min(end - first, part.shape[1]) if end else 0
    rising = torch.linspace(0, 1, seam + 2, dtype=part.dtype, device=part.device)[1:-1]
    whole[:, first : first + seam] = whole[:, first : first + seam].lerp(part[:, :seam], rising)
    whole[:, first + seam : first + part.shape[1]] = part[:, seam:]
