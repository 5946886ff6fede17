"""Codec training in several processes: the codec of one process, whatever the number, and however it is killed."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from small_codecs import SMALL
from small_recipes import DISCRIMINATORS, small, two_stages
from small_teams import run_in_team, train_small
from small_trainings import CPU, settings, voices

import codec_wrappers
from codec_wrappers.codec import Reconstruction
from codec_wrappers.training.loop import CodecTrainingError, train
from codec_wrappers.training.objective import Objective
from codec_wrappers.training.recipe import recipe
from codecfake.base import files, parallel
from codecfake.base.parallel import ParallelError, Team
from codecfake.base.portions import WHOLE, Portion

CODECS = sorted(DISCRIMINATORS)
LINEAR = "dac"  # a recipe whose losses are means over the batch, so that portions need no messages
ROWS, STEPS = 3, 50
PORTIONS = [Portion(Team(rank, 2), ROWS) for rank in (0, 1)]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


def objective(portion: Portion) -> Objective:
    torch.manual_seed(0)
    return Objective(recipe(LINEAR, small(LINEAR)), 16_000, portion)


def gradients_of_losses(portion: Portion) -> tuple[float, torch.Tensor, torch.Tensor]:
    """The loss, its gradient for the wavs that a codec made, and that of the discriminators for their weights."""
    generator = torch.Generator().manual_seed(1)
    target, estimate = 0.1 * torch.randn(2, ROWS, 2048, generator=generator)
    estimate = estimate.requires_grad_()
    rows = slice(None) if portion is WHOLE else portion.rows
    ours = objective(portion)
    stage = ours.recipe.stages[0]
    losses = ours.backward(Reconstruction(estimate[rows], torch.zeros(())), target[rows], stage)
    ours.discriminator_loss(estimate[rows], target[rows]).backward()
    gradients = [weight.grad.flatten() for weight in ours.discriminators.parameters() if weight.grad is not None]
    assert estimate.grad is not None
    return losses["loss"], estimate.grad, torch.cat(gradients)


def test_the_losses_and_gradients_of_portions_add_up_to_those_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gradients_of_losses(WHOLE)
    monkeypatch.setattr(Portion, "total", lambda self, value: value.detach())  # of this process alone
    parts = [gradients_of_losses(portion) for portion in PORTIONS]
    for total, *of_parts in zip(whole, *parts, strict=True):
        torch.testing.assert_close(sum(map(torch.as_tensor, of_parts)), torch.as_tensor(total), rtol=1e-4, atol=1e-6)


def test_a_codec_that_does_not_know_portions_trains_in_one_process_alone(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(codec_wrappers.build("encodec", SMALL["encodec"])), "takes_portions", False)
    with pytest.raises(CodecTrainingError, match="encodec cannot train on 2 GPUs: .*; give this job one GPU"):
        train(settings(), recordings, "native", tmp_path, CPU, team=Team(0, 2))


# One process ends 50 steps of these with other weights if its input is changed by 4e-16: rounding decides a code.
SENSITIVE, FEW_STEPS = ("funcodec", "soundstream"), 8
# 3 rows on 2 processes: their portions differ
CHANGES: dict[str, dict[str, Any]] = {"audiodec": {"stages": two_stages(STEPS // 2)}}


@pytest.mark.long
@pytest.mark.parametrize("name", CODECS)
def test_two_processes_train_the_codec_of_one(name: str, recordings: Path, tmp_path: Path) -> None:
    """In float64, where rounding decides no code; files hold float32."""
    steps = FEW_STEPS if name in SENSITIVE else STEPS
    training = settings(name, changes=small(name, steps, batch_size=ROWS, **CHANGES.get(name, {})))
    one, two = (run_in_team(size, recordings, tmp_path / str(size), training, exact=True) for size in (1, 2))
    assert one.keys() == two.keys()
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, rtol=1e-5, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")
    tables = [pd.read_csv(tmp_path / str(size) / "history.tsv", sep="\t") for size in (1, 2)]
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-5, atol=1e-5)


def train_until_killed(device: torch.device, team: Team, **arguments: Any) -> None:
    """The second process kills itself when it is about to make the third step."""
    step = torch.optim.Adam.step
    updates: list[None] = []

    def counted(adam: torch.optim.Adam, closure: Any = None) -> Any:
        updates.append(None)
        if not team.is_first and len(updates) == 5:  # two in each step, of the codec and of the discriminators
            os.kill(os.getpid(), signal.SIGKILL)
        return step(adam, closure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", counted)
        train_small(device, team, **arguments)


@pytest.mark.long
def test_a_training_of_which_a_process_was_killed_goes_on_with_any_number(recordings: Path, tmp_path: Path) -> None:
    training = settings(changes=small("encodec", 4, batch_size=2), checkpoint_every=1)
    arguments = {"settings": training, "audio_root": recordings, "source": "native", "output": tmp_path / "killed"}
    with pytest.raises(ParallelError, match="process 1 of 0 to 1 of this training failed; .*give the same command aga"):
        parallel.run(train_until_killed, arguments, [CPU, CPU])
    content = torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)
    assert content["progress"]["step"] in (2, 3)
    undisturbed = run_in_team(1, recordings, tmp_path / "undisturbed", training)
    continued = run_in_team(1, recordings, tmp_path / "killed", training)
    for key, tensor in undisturbed.items():
        torch.testing.assert_close(continued[key], tensor, rtol=1e-3, atol=1e-3)
    steps = [files.read_tsv(tmp_path / name / "history.tsv")["step"].tolist() for name in ("killed", "undisturbed")]
    assert steps[0] == steps[1]
