"""Regression of source tracing: a model predicts a number of each source, and equal samples get equal predictions."""

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
from codecfake.protocols.traced_quantities import TracedQuantity
from codecfake.scoring import tracing
from codecfake.training.loop import train
from codecfake.training.settings import TrainSettings
from codecfake.training.tasks import Regression

CPU = torch.device("cpu")
SETTINGS = TrainSettings(
    detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
    crop_samples=4_000, batch_size=8, epochs=8, learning_rate=4e-3, halve_every=8, seed=3, tensorboard=False,
    cache_features=True,
)  # fmt: skip
LEVELS = {"F01": 0.02, "F02": 0.3}  # of noise: what a model can hear
QUANTITY = TracedQuantity("bitrate_kbps", {"F01": 1.5, "F02": 24.0})
CONTROL = "P00"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model and its scores, also of recordings and of a control with their samples."""
    root = tmp_path_factory.mktemp("regression")
    rng = np.random.default_rng(7)
    for source in ("F00", CONTROL, *LEVELS):
        with ShardWriter(root / "audio" / CORPUS / source / "0000.tar", f"{source}_", PROVENANCE) as shard:
            for number in range(16):
                tone = 0.2 * np.sin(2 * np.pi * (200 + 20 * number) * np.arange(4_800) / SAMPLE_RATE)
                noise = LEVELS.get(source, 0) * rng.standard_normal(4_800).clip(-2, 2)
                shard.add(f"u{number:03d}", tone + noise, SAMPLE_RATE)
    parts = {"train": range(10), "dev": range(10, 13), "eval": range(13, 16)}
    sources = ("F00", CONTROL, *LEVELS)
    paths = [tones.write_protocol(root / f"{name}.tsv", numbers, sources) for name, numbers in parts.items()]
    task = Regression(QUANTITY)
    train([paths[0]], [paths[1]], root / "audio", root / "model", SETTINGS, CPU, task=task)
    tracing.score(root / "model", [paths[2]], root / "audio", root / "scores.tsv", CPU, ["F00", CONTROL], [paths[0]])
    return root


def test_predictions_follow_the_true_values_and_beat_their_mean(traced: Path) -> None:
    scores = files.read_tsv(traced / "scores.tsv")
    assert list(scores.columns) == ["trial_id", "source", "log2_bitrate_kbps"]
    predicted = scores["log2_bitrate_kbps"].astype(float).groupby(scores["source"]).mean()
    assert predicted["F01"] + 1 < predicted["F02"]
    history = files.read_tsv(traced / "model/history.tsv")
    assert history["dev_loss"].astype(float).min() < 1  # that of predicting the mean


def test_a_control_gets_the_predictions_of_the_recordings_that_it_copies(traced: Path) -> None:
    scores = files.read_tsv(traced / "scores.tsv")
    columns = [scores.loc[scores["source"] == source, "log2_bitrate_kbps"].tolist() for source in ("F00", CONTROL)]
    assert len(columns[0]) == 3
    assert columns[0] == columns[1]


def test_the_model_folder_says_what_it_predicts_and_is_no_detector(traced: Path) -> None:
    record = json.loads((traced / "model/settings.json").read_text())
    assert record["regression"] == {"quantity": "bitrate_kbps", "values": {"F01": 1.5, "F02": 24.0}}
    with pytest.raises(ModelError, match="this model traces sources and gives no scores"):
        models.load(traced / "model", CPU)


def test_targets_are_standardized_logarithms() -> None:
    quantity = TracedQuantity("quantizers", {"a": 2, "b": 8, "c": 32})
    assert (quantity.mean, quantity.spread) == (3, pytest.approx(np.sqrt(8 / 3)))
    targets = Regression(quantity).targets(pd.DataFrame({"source": ["a", "b", "c"]}))
    assert targets.mean().item() == pytest.approx(0)
    assert targets.square().mean().item() == pytest.approx(1)
    loss = Regression(quantity).loss(SETTINGS)(torch.tensor([[0.5], [-1.0]]), torch.tensor([0.0, 1.0]))
    assert loss.tolist() == [0.25, 4.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 4.0, "b": 4.0}, r"all sources have one value \(4\)"),
        ({"a": 4.0, "b": 0.0}, "0.0 of source b is out of range; it must be positive and finite"),
    ],
)
def test_values_without_a_spread_or_a_logarithm_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TracedQuantity("quantizers", values)
