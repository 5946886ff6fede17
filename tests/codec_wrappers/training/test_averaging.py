"""The moving average of a codec's weights: its law, what is written, and what a kill leaves of it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from small_recipes import small
from small_trainings import run, settings, voices
from torch import Tensor, nn

from codec_wrappers.training import checkpoint, loop
from codec_wrappers.training.averaging import WeightsAverage
from codec_wrappers.training.recipe import RECIPES, recipe
from codec_wrappers.training.updates import Updates
from codecfake.base import files
from codecfake.base.settings import SettingsError

DECAY = 0.5


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


def test_an_average_is_the_weighted_mean_of_the_weights_after_each_step() -> None:
    network = nn.BatchNorm1d(2)  # with a counter that is no floating-point number
    average = WeightsAverage(network, DECAY)
    for step, value in enumerate((8.0, 4.0, 2.0), 1):
        nn.init.constant_(network.weight, value)
        nn.init.constant_(network.running_mean, -value)  # type: ignore[arg-type]
        average.update(step)
    expected = (2 + DECAY * 4 + DECAY**2 * 8) / (1 + DECAY + DECAY**2)
    with average.in_use(3):
        torch.testing.assert_close(network.weight.detach(), torch.full((2,), expected))
        torch.testing.assert_close(network.running_mean, torch.full((2,), -expected))
    assert network.weight.tolist() == [2.0, 2.0]


def test_an_average_has_nothing_of_the_fresh_weights() -> None:
    network = nn.Linear(1, 1)
    average = WeightsAverage(network, 0.99)
    nn.init.constant_(network.weight, 3.0)
    average.update(1)
    nn.init.zeros_(network.weight)
    with average.in_use(1):
        assert network.weight.item() == 3.0


def test_without_a_decay_there_is_no_average() -> None:
    network = nn.Linear(1, 1)
    average = WeightsAverage(network, None)
    average.update(1)
    assert not list(average.buffers())
    with average.in_use(1):
        assert network.weight is not None


def test_encodec_has_the_average_of_its_authors_and_other_recipes_have_none() -> None:
    decays = {name: recipe(name, {"teacher": "folder"}).weights_average for name in RECIPES}
    assert {name: decay for name, decay in decays.items() if decay is not None} == {"encodec": 0.99}
    assert recipe("encodec", {"weights_average": None}).record().keys().isdisjoint({"weights_average"})


@pytest.mark.parametrize("decay", [0, 1, -0.1])
def test_a_decay_out_of_range_is_refused(decay: float) -> None:
    with pytest.raises(SettingsError, match=r"weights_average: .* is out of range; it must be more than 0 and less"):
        recipe("plain", {"weights_average": decay})


def averaged(**changes: Any) -> loop.CodecTrainingSettings:
    changes = small("plain", 4, warm_up_steps=1, weights_average=DECAY, **changes)
    return settings("soundstream", recipe="plain", changes=changes, validations=2, checkpoint_every=1)


def test_the_weights_that_training_writes_are_the_average(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "encoder.layers.0.weight"
    after: list[Tensor] = []
    apply = Updates.apply

    def watched(self: Updates, step: int) -> None:
        apply(self, step)
        after.append(self._parameters[0].detach().clone())

    monkeypatch.setattr(Updates, "apply", watched)
    weights = run(recordings, tmp_path, averaged())
    factors = [DECAY**age for age in (3, 2, 1, 0)]
    expected = sum(factor * weight for factor, weight in zip(factors, after, strict=True)) / sum(factors)
    torch.testing.assert_close(weights[name], expected, rtol=1e-5, atol=1e-7)
    assert not torch.equal(weights[name], after[-1])


def test_validation_hears_the_average_and_training_goes_on_with_its_own_weights(
    recordings: Path, tmp_path: Path
) -> None:
    with_average = run(recordings, tmp_path / "average", averaged())
    changes = {**averaged().changes, "weights_average": None}
    without = run(recordings, tmp_path / "none", dataclasses.replace(averaged(), changes=changes))
    rows = [files.read_tsv(tmp_path / name / "history.tsv").iloc[-1] for name in ("average", "none")]
    assert rows[0]["loss"] == rows[1]["loss"]
    assert rows[0]["mel_distance"] != rows[1]["mel_distance"]
    assert not all(torch.equal(with_average[name], without[name]) for name in without)


class KilledError(Exception):
    """Stands for a kill signal."""


@pytest.mark.long
@pytest.mark.parametrize("validation", [None, {"every": 1}])
def test_a_killed_training_ends_with_the_same_average(
    validation: dict[str, Any] | None, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = averaged(validation=validation)
    run(recordings, tmp_path / "undisturbed", training)
    save = checkpoint.save

    def killing(path: Path, progress: checkpoint.Progress, *others: Any) -> None:
        save(path, progress, *others)
        if progress.step == 2:
            raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(checkpoint, "save", killing)
        run(recordings, tmp_path / "killed", training)
    run(recordings, tmp_path / "killed", training)
    for name in ("weights.safetensors", "history.tsv", "quality.tsv", "settings.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name
