"""Scoring: every recording once, every condition in its own order."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import tones
import torch
from safetensors.torch import load_file, save_file

from codecfake.base import files
from codecfake.detectors import models
from codecfake.detectors.detector import DetectorSettings
from codecfake.features.clips import Clips
from codecfake.protocols.trials import TrialsError
from codecfake.scoring import conditions
from codecfake.training.loop import TrainSettings, train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones.write_audio(tmp_path_factory.mktemp("audio"), num_utterances=16)


@pytest.fixture(scope="module")
def model(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("model")
    settings = TrainSettings(
        detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
        crop_samples=4_000, batch_size=8, epochs=6, learning_rate=2e-3, halve_every=6, tensorboard=False,
    )  # fmt: skip
    lists = [tones.write_protocol(root / f"{name}.tsv", part) for name, part in (("t", range(8)), ("d", range(8, 12)))]
    train(lists[:1], lists[1:], audio, root, settings, CPU)
    return root


@pytest.fixture
def protocols(tmp_path: Path) -> list[Path]:
    """C1 holds both classes, C2 the same tones in another order."""
    both = tones.write_protocol(tmp_path / "C1.tsv", range(12, 16))
    few = files.read_tsv(both).iloc[[6, 3, 1]]
    files.write_tsv(tmp_path / "C2.tsv", few)
    return [both, tmp_path / "C2.tsv"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The clips that are read, by number."""
    read: list[int] = []
    original = Clips.__getitem__
    monkeypatch.setattr(Clips, "__getitem__", lambda self, index: read.append(index) or original(self, index))
    return read


def test_tones_score_higher_than_noise(model: Path, audio: Path, protocols: list[Path], tmp_path: Path) -> None:
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU)
    table = scores(tmp_path / "scores" / "C1.tsv")
    is_tone = ~table.index.str.startswith("F01_")
    assert table[is_tone].min() > table[~is_tone].max()


def test_rows_are_those_of_the_protocol_in_its_order(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path
) -> None:
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU)
    for path in protocols:
        table = files.read_tsv(tmp_path / "scores" / path.name)
        assert list(table.columns) == ["trial_id", "score"]
        assert table["trial_id"].tolist() == files.read_tsv(path)["trial_id"].tolist()


def test_a_recording_of_two_conditions_is_scored_once(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, reads: list[int]
) -> None:
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU)
    assert len(reads) == 8
    first, second = scores(tmp_path / "scores" / "C1.tsv"), scores(tmp_path / "scores" / "C2.tsv")
    assert second.equals(first[second.index])


def test_written_scores_are_the_detector_s_own_to_the_last_bit(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path
) -> None:
    conditions.score(model, protocols[:1], audio, tmp_path / "scores", CPU, batch_size=1)
    detector, crop_samples = models.load(model, CPU)
    table = files.read_tsv(protocols[0])
    with torch.no_grad():
        logits = detector(Clips(table, audio, crop_samples)[5].unsqueeze(0))
    score = scores(tmp_path / "scores" / "C1.tsv")[table["trial_id"][5]]
    assert torch.tensor(score, dtype=torch.float32) == logits[0, 1] - logits[0, 0]


def test_scoring_twice_gives_the_same_bytes(model: Path, audio: Path, protocols: list[Path], tmp_path: Path) -> None:
    for name in ("first", "second"):
        conditions.score(model, protocols, audio, tmp_path / name, CPU, workers=2 if name == "second" else 0)
    assert (tmp_path / "first" / "C1.tsv").read_bytes() == (tmp_path / "second" / "C1.tsv").read_bytes()


def test_two_protocols_of_one_name_are_refused(model: Path, audio: Path, protocols: list[Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twin = Path(shutil.copy(protocols[0], tmp_path / "other" / "C1.tsv"))
    with pytest.raises(conditions.ScoringError, match="2 protocols have 1 file names"):
        conditions.score(model, [protocols[0], twin], audio, tmp_path / "scores", CPU)


def test_scores_that_are_not_finite_are_refused(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "score_of", lambda logits: logits[:, 0] * float("nan"))
    with pytest.raises(conditions.ScoringError, match="8 of 8 trials have .* not finite, first u012"):
        conditions.score(model, protocols, audio, tmp_path / "scores", CPU)


@pytest.mark.parametrize("name", [models.WEIGHTS, models.SETTINGS])
def test_an_incomplete_model_folder_is_refused(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, name: str
) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "broken"))
    (damaged / name).unlink()
    with pytest.raises(models.ModelError, match=f"no {name}; train the detector first"):
        conditions.score(damaged, protocols, audio, tmp_path / "scores", CPU)


def test_weights_of_another_detector_are_refused(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "broken"))
    record = json.loads((damaged / models.SETTINGS).read_text())
    record["settings"]["detector"]["back_end"] = {"name": "aasist"}
    files.write_json(damaged / models.SETTINGS, record)
    with pytest.raises(models.ModelError, match="tensors too few or too many"):
        conditions.score(damaged, protocols, audio, tmp_path / "scores", CPU)


def scores(path: Path) -> pd.Series:
    return files.read_tsv(path).set_index("trial_id")["score"].astype(float)


def test_a_recording_that_was_trained_on_is_not_judged(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path
) -> None:
    trained_on = tones.write_protocol(tmp_path / "train.tsv", range(12))
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU, [trained_on])
    overlapping = tones.write_protocol(tmp_path / "more.tsv", range(13))
    with pytest.raises(TrialsError, match=r"trials of the C1 list are also in the train \(.*more.tsv\) list"):
        conditions.score(model, protocols, audio, tmp_path / "scores", CPU, [trained_on, overlapping])


def test_a_new_condition_costs_what_is_new_in_it(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, reads: list[int]
) -> None:
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    reads.clear()
    more = tones.write_protocol(tmp_path / "C3.tsv", range(12, 16))
    conditions.score(model, [*protocols, more], audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    assert reads == []
    assert scores(tmp_path / "scores" / "C3.tsv").equals(scores(tmp_path / "scores" / "C1.tsv"))


def test_kept_scores_change_no_byte(model: Path, audio: Path, protocols: list[Path], tmp_path: Path) -> None:
    conditions.score(model, protocols, audio, tmp_path / "without", CPU)
    for name in ("first", "second"):
        conditions.score(model, protocols, audio, tmp_path / name, CPU, score_store=tmp_path / "kept")
        for path in protocols:
            assert (tmp_path / name / path.name).read_bytes() == (tmp_path / "without" / path.name).read_bytes()


def test_a_source_with_other_trials_is_scored_anew_and_alone(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, reads: list[int]
) -> None:
    table = files.read_tsv(protocols[0])
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    reads.clear()
    noises = table[table["key"] == "spoof"]
    fewer = pd.concat([table[table["key"] == "bonafide"], noises[:-1]])
    files.write_tsv(protocols[0], fewer)
    conditions.score(model, protocols[:1], audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    assert len(reads) == len(noises) - 1
    assert len(list((tmp_path / "kept").rglob("*.tsv"))) == 2


def test_scores_of_another_model_are_not_taken(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, reads: list[int]
) -> None:
    other = Path(shutil.copytree(model, tmp_path / "other"))
    state = load_file(other / models.WEIGHTS)
    save_file({name: tensor + 0.01 for name, tensor in state.items()}, other / models.WEIGHTS)
    files.seal(other / models.WEIGHTS)
    for each in (model, other):
        conditions.score(each, protocols, audio, tmp_path / each.name, CPU, score_store=tmp_path / "kept")
    assert len(reads) == 16
    assert not scores(tmp_path / model.name / "C1.tsv").equals(scores(tmp_path / "other" / "C1.tsv"))


@pytest.mark.long
def test_a_kept_file_that_does_not_fit_is_replaced(
    model: Path, audio: Path, protocols: list[Path], tmp_path: Path, reads: list[int]
) -> None:
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    before = {path: path.read_bytes() for path in (tmp_path / "kept").rglob("*.tsv")}
    for path, content in before.items():
        path.write_bytes(content[:-3] + content[-3:].translate(bytes.maketrans(b"0123456789", b"1234567890")))
    reads.clear()
    conditions.score(model, protocols, audio, tmp_path / "scores", CPU, score_store=tmp_path / "kept")
    assert len(reads) == 8
    assert {path: path.read_bytes() for path in before} == before
