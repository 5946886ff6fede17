"""A released model is calibrated as a trained one is: on the scores of a dev list."""

from pathlib import Path

import pytest
import tones
import torch

from codecfake.detectors.detector import DetectorSettings
from codecfake.protocols.trials import TrialsError
from codecfake.scoring import verdicts
from codecfake.scoring.dev_calibration import calibrate_on
from codecfake.training.loop import TrainSettings, train

CPU = torch.device("cpu")
SETTINGS = TrainSettings(
    detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
    crop_samples=4_000, batch_size=8, epochs=2, learning_rate=2e-3, tensorboard=False,
)  # fmt: skip


def test_the_calibration_is_the_one_that_training_writes(tmp_path: Path) -> None:
    audio = tones.write_audio(tmp_path / "audio", num_utterances=8)
    parts = {"train": range(4), "dev": range(4, 8)}
    lists = [tones.write_protocol(tmp_path / f"{name}.tsv", part) for name, part in parts.items()]
    train(lists[:1], lists[1:], audio, tmp_path / "model", SETTINGS, CPU)
    calibrate_on(tmp_path / "model", lists[1], audio, tmp_path / "again", CPU)
    first, again = (verdicts.read(tmp_path / name / verdicts.CALIBRATION) for name in ("model", "again"))
    assert first.calibration is not None and again.calibration is not None
    assert again.calibration.slope == pytest.approx(first.calibration.slope, rel=1e-4)
    assert again.calibration.offset == pytest.approx(first.calibration.offset, rel=1e-4)
    assert (again.eer, again.calibration.num_spoof) == (first.eer, 4)

    one_key = tones.write_protocol(tmp_path / "one.tsv", range(4), (tones.SOURCE,))
    with pytest.raises(TrialsError, match="has 4 trials but no bonafide trial"):
        calibrate_on(tmp_path / "model", one_key, audio, tmp_path / "again", CPU)
