"""When codec training ends, and which weights it keeps."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_recipes import small
from small_teams import run_in_team
from small_trainings import run, settings, voices

from codec_wrappers.training import checkpoint
from codec_wrappers.training.recipe import recipe
from codec_wrappers.training.stopping import ValidationSchedule
from codec_wrappers.training.validation import Quality, Validation
from codecfake.base import files
from codecfake.base.settings import SettingsError

CONVERGED = ValidationSchedule(every=1, until="converged", patience=2, least_gain=0.1)


def history(*distances: float) -> list[dict[str, float]]:
    """Rows of steps 1, 2, …"""
    return [{"step": step, "mel_distance": distance} for step, distance in enumerate(distances, 1)]


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ((), False),
        ((1.0, 1.0), False),
        ((1.0, 1.0, 1.0), True),
        ((1.0, 0.8, 0.6, 0.5), False),
        ((1.0, 0.95, 0.91), True),  # each less than a tenth below the smallest that was a gain
        ((1.0, 0.95, 0.89), False),
        ((0.5, 0.9, 0.4, 0.8), False),
        ((0.5, 0.9, 0.4, 0.8, 0.39), True),
    ],
)
def test_training_has_converged_after_as_many_validations_without_a_gain(
    distances: tuple[float, ...], expected: bool
) -> None:
    assert CONVERGED.has_converged(history(*distances), from_step=0) is expected
    assert not dataclasses.replace(CONVERGED, until="steps").has_converged(history(*distances), from_step=0)


def test_validations_of_earlier_stages_do_not_count() -> None:
    rows = history(0.1, 1.0, 0.9, 1.0)
    assert CONVERGED.has_converged(rows, from_step=0)
    assert not CONVERGED.has_converged(rows, from_step=2)
    assert CONVERGED.row_to_keep(rows, from_step=1)["step"] == 3


def test_the_best_or_the_last_weights_are_kept() -> None:
    rows = history(0.3, 0.2, 0.2, 0.4)
    assert CONVERGED.row_to_keep(rows, from_step=0)["step"] == 2
    assert dataclasses.replace(CONVERGED, keep="last").row_to_keep(rows, from_step=0)["step"] == 4


@pytest.mark.parametrize(("num_utterances", "expected"), [(9, 2), (100, 10), (640, 64), (10_000, 64)])
def test_a_tenth_of_a_small_corpus_is_held_out_at_most(num_utterances: int, expected: int) -> None:
    assert ValidationSchedule(every=1).num_held_out(num_utterances, least=2) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"until": "convergd"}, "validation.until: unknown value 'convergd'; did you mean 'converged'"),
        ({"keep": "first"}, "validation.keep: unknown value 'first'; choose from best, last"),
        ({"every": 0}, "validation.every: 0 is out of range; it must be at least 1"),
        ({"patience": 0}, "validation.patience: 0 is out of range"),
    ],
)
def test_a_schedule_out_of_range_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        recipe("plain", {"validation": {"every": 1, **values}})


DISTANCES = {0: 9.0, 1: 1.0, 2: 0.5, 3: 0.6, 4: 0.7, 5: 0.4, 6: 0.3}  # by validation


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Validations with the distances above, and the weights at each."""
    weights: dict[str, Any] = {}

    def judge(self: Validation) -> Quality:
        number, self.outputs = len(weights), self.wavs
        weights[number] = {key: tensor.clone() for key, tensor in self._codec.network.state_dict().items()}
        return Quality(0.0, DISTANCES[number], 1.0, 1.0, 2)

    monkeypatch.setattr(Validation, "__call__", judge)
    return weights


def scheduled(**values: Any) -> dict[str, Any]:
    return small("plain", 6, warm_up_steps=1, validation={"every": 1, "patience": 2, **values})


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


def test_a_training_ends_when_it_has_converged_and_keeps_its_best_weights(
    recordings: Path, tmp_path: Path, scripted: dict[Any, Any]
) -> None:
    weights = run(recordings, tmp_path, settings(recipe="plain", changes=scheduled(until="converged")))
    assert files.read_tsv(tmp_path / "history.tsv")["step"].tolist() == ["1", "2", "3", "4"]
    last = load_file(tmp_path / "last.safetensors")
    for key, tensor in weights.items():
        assert torch.equal(tensor, scripted[2][key])
        assert torch.equal(last[key], scripted[4][key])
    assert any(not torch.equal(weights[key], last[key]) for key in weights)
    assert json.loads((tmp_path / "settings.json").read_text())["kept_step"] == 2
    assert files.read_tsv(tmp_path / "quality.tsv")["mel_distance"].tolist() == ["9.0", "0.5"]


class KilledError(Exception):
    """Stands for a kill signal."""


@pytest.mark.long
def test_a_training_killed_after_it_converged_ends_with_the_same_bytes(
    recordings: Path, tmp_path: Path, scripted: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = settings(recipe="plain", changes=scheduled(until="converged"))
    run(recordings, tmp_path / "undisturbed", training)
    scripted.clear()
    save = checkpoint.save

    def killing(path: Path, progress: checkpoint.Progress, *others: Any) -> None:
        save(path, progress, *others)
        if progress.step == 4:
            raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(checkpoint, "save", killing)
        run(recordings, tmp_path / "killed", training)
    run(recordings, tmp_path / "killed", training)
    names = ("weights.safetensors", "last.safetensors", "history.tsv", "quality.tsv", "settings.json")
    for name in names:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes(), name


@pytest.mark.long
def test_two_processes_end_together_when_training_has_converged(recordings: Path, tmp_path: Path) -> None:
    """No gain is large enough, so that the patience of one validation ends it after the second."""
    changes = scheduled(until="converged", patience=1, least_gain=1.0)
    run_in_team(2, recordings, tmp_path, settings(recipe="plain", changes=changes))
    assert files.read_tsv(tmp_path / "history.tsv")["step"].tolist() == ["1", "2"]
