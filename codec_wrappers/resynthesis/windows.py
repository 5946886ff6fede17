"""Long recordings in bounded memory: cut into windows that overlap, which go through a codec one at a time.

    window 1   ├───────────── kept ─────────────/··· context ···┤
    window 2               ├··· context ···/───────────── kept ─────…

A frame hears only some of its past and future. Where that is less than the context, the joined windows are what the
whole would have given; where a codec remembers or normalizes without end, nearly. Seams (`/`) are cross-faded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

SEAM_FRAMES = 1  # of a cross-fade


@dataclass(frozen=True)
class Window:
    """Samples `start` to `end` go through the codec, of which `first` to `last` are kept."""

    start: int
    end: int
    first: int
    last: int  # over the next one's `first` by the seam


def cut(num_samples: int, longest: int, context: int, hop_length: int) -> list[Window]:
    """Windows over `num_samples`: each keeps at most `longest`, and the seam, and hears `context` more on both sides.

    As few as can be, and equal to within a frame: none has little to take its statistics from. All start on the grid of
    `hop_length`, to which `longest` is rounded down (to one frame at least) and `context` up (over the seam).
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


def joined(run: Callable[[Tensor], list[Tensor]], wav: Tensor, windows: Sequence[Window]) -> list[Tensor]:
    """What `run` gives of wav `[B, T]`, one window after the other: as many `[B, T]` as it gives of each part `[B, t]`.

    Only the joined waveforms grow with T.
    """
    if len(windows) == 1:
        return run(wav)
    wholes: list[Tensor] = []
    written = 0
    for window in windows:
        parts = run(wav[:, window.start : window.end])
        wholes = wholes or [torch.empty_like(wav) for _ in parts]
        for whole, part in zip(wholes, parts, strict=True):
            _lay(part[:, window.first - window.start : window.last - window.start], whole, window.first, written)
        written = window.last
    return wholes


def _lay(kept: Tensor, whole: Tensor, first: int, written: int) -> None:
    """Put what is kept of a window into `whole` from `first` on, cross-faded with what is `written` there already."""
    seam = min(written - first, kept.shape[1]) if written else 0
    rising = torch.linspace(0, 1, seam + 2, dtype=kept.dtype, device=kept.device)[1:-1]
    whole[:, first : first + seam] = whole[:, first : first + seam].lerp(kept[:, :seam], rising)
    whole[:, first + seam : first + kept.shape[1]] = kept[:, seam:]
