"""Source tracing: a detector's parts learn classes of sources, unseen sources are evaluated, a control is at chance."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tones
import torch
from tones import CORPUS, PROVENANCE, SAMPLE_RATE

from codecfake.audio.shards import ShardWriter
from codecfake.base import files
from codecfake.base.settings import SettingsError
from codecfake.detectors import models
from codecfake.detectors.models import ModelError
from codecfake.detectors.settings import DetectorSettings
from codecfake.protocols.trials import TrialsError
from codecfake.scoring import conditions, tracing
from codecfake.tables.tracing import write_tracing
from codecfake.tables.tracing_settings import TracedTask, TracingTableSettings
from codecfake.tables.trials import ScoreError
from codecfake.training.loop import train
from codecfake.training.settings import TrainSettings
from codecfake.training.tasks import Tracing
from codecfake.training.tracing_settings import TracingSettings

CPU = torch.device("cpu")
CLICKS, CONTROL, UNSEEN = "F02", "P00", "F03"
SETTINGS = TrainSettings(
    detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
    crop_samples=4_000, batch_size=8, epochs=4, learning_rate=2e-3, halve_every=4, seed=3, tensorboard=False,
)  # fmt: skip
RANDOM_W2V2 = DetectorSettings({"name": "wav2vec2", "weights": "random", "layer": 1}, {"name": "lcnn"})
CLASSES = {"tones": ["F00"], "noise": ["F01"], "clicks": [CLICKS]}
AS_TONES = {"tones": ["F00"], "control": [CONTROL]}


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones, noise, clicks, and clicks of another period as an unseen source."""
    root = tones.write_audio(tmp_path_factory.mktemp("tracing") / "audio", num_utterances=22)
    rng = np.random.default_rng(7)
    for source, period in ((CLICKS, 400), (UNSEEN, 50)):
        with ShardWriter(root / CORPUS / source / "0000.tar", f"{source}_", PROVENANCE) as shard:
            for number in range(22):
                wav = 0.5 * (np.arange(4_800) % period == rng.integers(period))
                shard.add(f"u{number:03d}", wav.astype(float), SAMPLE_RATE)
    return root


def write_control(root: Path) -> Path:
    """Recordings, and a control with exactly their samples."""
    for source in ("F00", CONTROL):
        with ShardWriter(root / CORPUS / source / "0000.tar", f"{source}_", PROVENANCE) as shard:
            for number in range(22):
                seconds = np.arange(4_800) / SAMPLE_RATE
                shard.add(f"u{number:03d}", 0.3 * np.sin(2 * np.pi * (200 + 20 * number) * seconds), SAMPLE_RATE)
    return root


def lists(audio: Path, *sources: str) -> list[Path]:
    """Train, dev and eval protocols."""
    parts = {"train": range(14), "dev": range(14, 18), "eval": range(18, 22)}
    root = audio.parent / "-".join(sources)
    return [tones.write_protocol(root / f"{name}.tsv", numbers, sources) for name, numbers in parts.items()]


def run(audio: Path, output: Path, classes: dict[str, list[str]], unseen: tuple[str, ...] = ()) -> Path:
    """A model of these classes; returns its score file."""
    sources = [source for names in classes.values() for source in names]
    trained, dev, evaluated = lists(audio, *sources, *unseen)
    train([trained], [dev], audio, output / "model", SETTINGS, CPU, task=Tracing(classes))
    scores = output / "scores/task/mel-lcnn/seed3.tsv"
    tracing.score(output / "model", [evaluated, evaluated], audio, scores, CPU, unseen, [trained])
    return scores


@pytest.fixture(scope="module")
def traced(audio: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("traced")
    run(audio, output, CLASSES, (UNSEEN,))
    return output


def tables(
    output: Path, audio: Path, classes: dict[str, list[str]], unseen: list[str]
) -> tuple[pd.Series, pd.DataFrame]:
    (_, _, evaluated) = lists(audio, *(source for names in classes.values() for source in names), *unseen)
    task = TracedTask(["mel-lcnn/seed3"], classes, unseen=unseen, conditions=[evaluated.stem])
    write_tracing(output / "scores", evaluated.parent, TracingTableSettings({"task": task}), output)
    return pd.read_csv(output / "tracing.csv").iloc[0], pd.read_csv(output / "tracing_confusion.csv")


def test_classes_are_told_apart_and_tables_count_every_trial(traced: Path, audio: Path) -> None:
    row, confusion = tables(traced, audio, CLASSES, [UNSEEN])
    assert (row["task"], row["detector"], row["seed"], row["num_classes"]) == ("task", "mel-lcnn", 3, 3)
    assert (row["num_seen"], row["num_unseen"]) == (12, 4)
    assert row["accuracy_percent"] > 60
    assert 0 <= row["auroc"] <= 1
    assert confusion.groupby("source")["num_trials"].sum().to_dict() == dict.fromkeys(["F00", "F01", CLICKS, UNSEEN], 4)
    hits = confusion.loc[confusion["true_class"] == confusion["predicted_class"], "num_trials"].sum()
    assert row["accuracy_percent"] == pytest.approx(100 * hits / 12)


def test_a_score_file_has_the_logits_of_every_class(traced: Path) -> None:
    table = files.read_tsv(traced / "scores/task/mel-lcnn/seed3.tsv")
    assert list(table.columns) == ["trial_id", "source", "tones", "noise", "clicks"]
    history = files.read_tsv(traced / "model/history.tsv")
    assert {"dev_loss", "dev_accuracy", "dev_macro_f1"} <= set(history)
    assert json.loads((traced / "model/settings.json").read_text())["classes"] == CLASSES


def test_a_source_with_the_samples_of_the_recordings_is_at_chance(tmp_path: Path) -> None:
    """Whatever the model has learned: each pair of equal samples has one prediction, which is right for one of both."""
    scores = files.read_tsv(run(write_control(tmp_path / "audio"), tmp_path, AS_TONES))
    row, _ = tables(tmp_path, tmp_path / "audio", AS_TONES, [])
    assert row["accuracy_percent"] == 50
    assert pd.isna(row["auroc"])
    logits = [scores.loc[scores["source"] == source, list(AS_TONES)].to_numpy().tolist() for source in ("F00", CONTROL)]
    assert logits[0] == logits[1]


def test_a_model_that_traces_is_no_detector(traced: Path, audio: Path) -> None:
    (_, _, evaluated) = lists(audio, "F00", "F01")
    with pytest.raises(ModelError, match="this model traces sources and gives no scores; choose a detector"):
        conditions.score(traced / "model", [evaluated], audio, traced / "scores", CPU)
    assert models.load_tracer(traced / "model", CPU)[2]["classes"] == CLASSES


def test_a_class_without_trials_is_an_error(audio: Path, tmp_path: Path) -> None:
    trained, dev, _ = lists(audio, "F00", "F01")
    with pytest.raises(TrialsError, match=r"the train lists have no trial of class 'clicks' \(F02\)"):
        train([trained], [dev], audio, tmp_path, SETTINGS, CPU, task=Tracing(CLASSES))


def test_scores_of_other_classes_or_sources_are_an_error(traced: Path, audio: Path) -> None:
    with pytest.raises(ScoreError, match="columns are not trial_id, source and a, b"):
        tables(traced, audio, {"a": ["F00"], "b": ["F01"]}, [])
    with pytest.raises(ScoreError, match=r"F03 is only in the scores or only in the experiment; delete .* run again"):
        tables(traced, audio, CLASSES, [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "focal"}, "focal is of two classes; set it to cross_entropy"),
        ({"select": "dev_eer"}, "dev_eer, but source tracing has no EER"),
        ({"cache_features": "disk", "detector": RANDOM_W2V2}, "disk, but stored features are of detectors"),
        (
            {"detector": DetectorSettings({"name": "mel"}, {"name": "lcnn", "head": "single"})},
            "single gives two logits; take a detector with `head: linear`",
        ),
    ],
)
def test_settings_of_two_classes_are_refused(changes: dict[str, object], message: str) -> None:
    values = {**{field: getattr(SETTINGS, field) for field in SETTINGS.__dataclass_fields__}, **changes}
    with pytest.raises(SettingsError, match=message):
        TracingSettings(TrainSettings(**values), CLASSES)


def test_one_class_is_refused() -> None:
    with pytest.raises(SettingsError, match="1 classes leave nothing to tell apart"):
        TracingSettings(SETTINGS, {"tones": ["F00"]})
