"""A whole run with a released detector beside a trained one: imported, calibrated, scored and reported once."""

from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from places import EXPERIMENTS
from whole_runs import ON_CPU, rerun, snakemake

from codecfake.detectors.detector import Detector
from codecfake.detectors.released_forms import CROP_SAMPLES, RELEASED
from codecfake.detectors.settings import DetectorSettings
from codecfake.running.check import check

FORM, NAME = "aasist-l", "aasist-l/released/erm/seed0"

pytestmark = [pytest.mark.usefixtures("quick_jobs"), pytest.mark.long]


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """The tiny experiment with a file of random weights in the form of a released detector."""
    settings = DetectorSettings(RELEASED[FORM].front_end, RELEASED[FORM].back_end)
    torch.manual_seed(0)
    torch.save(Detector(settings, CROP_SAMPLES).back_end.state_dict(), tmp_path / "light.pth")
    released = {"form": FORM, "file": "light.pth", "trained_on": ["vocoder"], "calibrate_on": "vocoder"}
    values = {
        "based_on": str(EXPERIMENTS / "tiny.yaml"),
        "detectors": {FORM: {"front_end": RELEASED[FORM].front_end, "back_end": RELEASED[FORM].back_end}},
        "models": [
            {"detectors": ["mel-lcnn"], "training_sets": ["codec"]},
            {"detectors": [FORM], "released": released},
        ],
    }
    path = tmp_path / "released.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def test_a_released_detector_is_judged_beside_a_trained_one(experiment: Path, tmp_path: Path, tiny_copy: Path) -> None:
    config, directory = [*ON_CPU, f"weights={tmp_path}"], tiny_copy
    done = snakemake(directory, experiment, "all", config=config)
    assert done.returncode == 0, done.stdout + done.stderr

    results = directory / "results"
    eer = pd.read_csv(results / "tables/eer.csv")
    assert set(eer["training_set"]) == {"codec", "released"}
    assert (results / f"models/{NAME}/calibration.json").is_file()
    assert "With released weights, erm" in (results / "report.html").read_text(encoding="utf-8")
    assert (directory / f"logs/import_detector/{NAME.replace('/', '.')}.log").is_file()
    assert list(check(results)) == []
    assert rerun(directory, experiment, config=config) == {}


def test_a_file_that_is_missing_stops_the_run_before_its_first_job(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "light.pth").unlink()
    done = snakemake(tmp_path / "run", experiment, "all", config=[*ON_CPU, f"weights={tmp_path}"])
    assert done.returncode != 0
    assert f"models.1.released.file: there is no file {tmp_path / 'light.pth'}; put the file there" in done.stderr
    assert not (tmp_path / "run/results").exists()
