"""Codec training by every recipe on a pretended CUDA device: as on the CPU, few waits in a step, and in bfloat16."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pretended_cuda import CUDA, Observations, pretended_cuda
from small_recipes import DISCRIMINATORS, small
from small_trainings import CPU, settings, voices
from torch import Tensor

from codec_wrappers.networks import codebooks
from codec_wrappers.training import loop, losses
from codec_wrappers.training.curves import CodecCurves
from codec_wrappers.training.loop import CodecTrainingSettings, train

pytestmark = pytest.mark.long

RECIPES = sorted(DISCRIMINATORS)
# Rounding grows in LSTMs, in two trainings on the CPU as well; and one recipe's codes die in this short time
EXACT = ("audiodec", "dac", "academicodec", "soundstream")
# Losses, the discriminators' loss, two norms, the state of the codebooks; balancers fetch the norm of each loss
MOST_WAITS = 8
COMPLEX = ("_fft_r2c", "_fft_c2r", "_fft_c2c", "complex")  # have no form in half precision


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


def quick(name: str, precision: str = "float32") -> CodecTrainingSettings:
    """Two steps: the first starts the codebooks, and AudioDec's second has discriminators."""
    return settings(name, changes=small(name, steps=2), precision=precision)


def waits_of_steps(observations: Observations, patch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    step = loop._Run._step

    def counted(run: loop._Run, number: int, wav: Tensor, curves: CodecCurves) -> dict[str, float]:
        before = observations.num_waits
        values = step(run, number, wav, curves)
        counts.append(observations.num_waits - before)
        return values

    patch.setattr(loop._Run, "_step", counted)
    return counts


def history(folder: Path) -> pd.DataFrame:
    """A loss that no step of a row has is not a number."""
    return pd.read_csv(folder / "history.tsv", sep="\t")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_as_on_the_cpu_with_few_waits_in_a_step(
    name: str, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended_cuda() as observations:
        waits = waits_of_steps(observations, monkeypatch)
        train(quick(name), recordings, "native", tmp_path / "gpu", CUDA)
    assert waits[-1] <= MOST_WAITS, observations.waits
    assert np.isfinite(history(tmp_path / "gpu")["loss"]).all()
    if name in EXACT:
        monkeypatch.setattr(codebooks, "_num_draws", len)  # as on a GPU, so that later draws are the same
        train(quick(name), recordings, "native", tmp_path / "cpu", CPU)
        np.testing.assert_allclose(history(tmp_path / "gpu"), history(tmp_path / "cpu"), atol=1e-3, rtol=1e-3)


@pytest.fixture
def forward_only() -> Iterator[Observations]:
    strategy = torch.jit.set_fusion_strategy([])  # as `make_repeatable` does for a job on a GPU
    with pretended_cuda(forward_only=True) as observations:
        yield observations
    torch.jit.set_fusion_strategy(strategy)


@pytest.mark.parametrize("name", RECIPES)
def test_training_in_bfloat16_uses_no_operation_that_bfloat16_lacks(
    name: str, recordings: Path, tmp_path: Path, forward_only: Observations
) -> None:
    """The forward passes; gradients are zero here."""
    train(quick(name, "bfloat16"), recordings, "native", tmp_path, CUDA)
    assert forward_only.reduced["convolution"] > 0
    assert not [operation for operation in COMPLEX if forward_only.reduced[operation]]
    assert not [operation for operation in forward_only.reduced if operation.startswith("argmin")]


def test_the_rehearsal_sees_a_window_that_does_not_move_with_its_module(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mutation: a buffer of a loss is a plain attribute."""

    def forgetful(module: torch.nn.Module, name: str, tensor: Tensor, persistent: bool = True) -> None:
        object.__setattr__(module, name, tensor)

    monkeypatch.setattr(losses._Scale, "register_buffer", forgetful)
    with pretended_cuda(), pytest.raises(RuntimeError, match="same device"):
        train(quick("encodec"), recordings, "native", tmp_path, CUDA)
