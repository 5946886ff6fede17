"""Trainings of tiny codecs in several processes, and in float64, where rounding hides no difference."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_trainings import CPU
from torch import Tensor

from codec_wrappers.networks.codebooks import Codebook
from codec_wrappers.training import loop, segments
from codec_wrappers.training.loop import CodecTrainingSettings, train
from codec_wrappers.training.segments import Segments
from codecfake.base import parallel
from codecfake.base.parallel import Team


def run_in_team(
    size: int, recordings: Path, folder: Path, settings: CodecTrainingSettings, exact: bool = False
) -> dict[str, Tensor]:
    """The weights that `size` processes train together; `exact`: in float64."""
    arguments = {"settings": settings, "audio_root": recordings, "source": "native", "output": folder}
    parallel.run(train_exactly if exact else train_small, arguments, [CPU] * size)
    return load_file(folder / "weights.safetensors")


def train_small(device: torch.device, team: Team, **arguments: Any) -> None:
    """`train` in one process of a team, with some segments for the start of codebooks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "CODEBOOK_SEGMENTS", 32)  # with fewer rows than codes, equal vectors would tie
        train(**arguments, device=device, team=team)


@torch.no_grad()
def first_of_the_nearest(book: Codebook, inputs: Tensor) -> Tensor:
    """The first code with the smallest distance, but for rounding: a batch may revive two codes with one vector."""
    distances = book.vectors.square().sum(dim=1) - 2 * inputs @ book.vectors.T
    return (distances < distances.amin(dim=1, keepdim=True) + 1e-9).int().argmax(dim=1)


def train_exactly(device: torch.device, team: Team, **arguments: Any) -> None:
    """The same in float64; `Tensor.float`, by which losses and quantizers get float32, is then `Tensor.double`."""
    draw, whole = Segments.draw, segments.whole
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Tensor, "float", Tensor.double)
            patch.setattr(Codebook, "nearest", first_of_the_nearest)
            patch.setattr(Segments, "draw", lambda *values: draw(*values).double())
            patch.setattr(segments, "whole", lambda *values: [wav.double() for wav in whole(*values)])
            train_small(device, team, **arguments)
    finally:
        torch.set_default_dtype(torch.float32)
