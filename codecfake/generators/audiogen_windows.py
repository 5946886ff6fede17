"""Codes of sounds longer than AudioGen was trained on: windows of 10 s, each of which begins 2 s after the one before.

The codes that a window shares with the one before are its prompt.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from codecfake.generators.audiogen_network import HOP_LENGTH, SAMPLE_RATE, AudiogenNetwork, Request

WINDOW, STRIDE = (seconds * SAMPLE_RATE // HOP_LENGTH for seconds in (10, 2))  # frames


def generate(
    network: AudiogenNetwork,
    requests: Sequence[Request],
    num_frames: int,
    guidance: float,
    window: int = WINDOW,
    stride: int = STRIDE,
) -> list[Tensor]:
    """Codes `[4, num_frames]` of each request, by windows of `window` frames; the last window can be shorter."""
    codes = network.generate(requests, min(num_frames, window), guidance)
    start = 0
    while codes[0].shape[1] < num_frames:
        start += stride
        prompts = [each[:, start:] for each in codes]
        windows = network.generate(requests, min(window, num_frames - start), guidance, prompts)
        codes = [torch.cat([each[:, :start], new], dim=1) for each, new in zip(codes, windows, strict=True)]
    return codes
