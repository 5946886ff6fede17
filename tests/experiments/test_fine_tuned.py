"""The experiments of fine-tuned detectors: published settings, plans, and small forms that run."""

from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from whole_runs import rerun, snakemake

from codecfake.base.settings import build
from codecfake.experiment import site
from codecfake.experiment.schema import Experiment
from codecfake.training.settings import TrainSettings

SMALL = Path(__file__).parent
NAMES = ("today", "xie2025-finetuned")


def read(name: str) -> Experiment:
    return site.read_without_corpora({"experiment": name}, ROOT)


def settings(experiment: Experiment, detector: str, training_set: str = "codec") -> TrainSettings:
    return build(TrainSettings, experiment.train_settings(detector, training_set, "erm", 1))


@pytest.fixture(scope="module", params=NAMES)
def full(request: pytest.FixtureRequest) -> Experiment:
    return read(request.param)


def test_every_detector_with_a_self_supervised_front_end_is_fine_tuned(full: Experiment) -> None:
    for detector in dict.fromkeys(name.split("/")[0] for name in full.model_names()):
        assert settings(full, detector).fine_tuning.is_on == (detector != "mel-lcnn")


def test_every_detector_trains_on_vocoder_fakes_codec_fakes_and_both(full: Experiment) -> None:
    erm = {tuple(name.split("/")[:2]) for name in full.model_names() if "/erm/" in name}
    detectors = {detector for detector, _ in erm}
    assert erm == {(detector, name) for detector in detectors for name in ("vocoder", "codec", "co")}


def test_all_models_are_evaluated_on_the_conditions_of_the_paper(full: Experiment) -> None:
    assert {"C1", "C7", "C3-1", "C4-3", "19LA"} <= set(full.conditions)
    assert not any(name.endswith(("english", "chinese")) for name in full.conditions)


@pytest.mark.parametrize(
    ("detector", "batch_size", "learning_rate", "crop_samples", "algorithm"),
    [
        ("xlsr-aasist", 14, 1e-6, 64_600, 3),
        ("xlsr-sls", 5, 1e-6, 64_600, 3),
        ("xlsr-nes2net-x", 12, 2.5e-7, 64_600, 4),
        ("xlsr-mhfa", 32, 1e-4, 48_400, None),
        ("xlsr-tcm", 20, 1e-6, 66_800, 3),
        ("xlsr-pooling", 10, 1e-6, 208_000, 5),
    ],
)
def test_the_detectors_of_today_train_as_published(
    detector: str, batch_size: int, learning_rate: float, crop_samples: int, algorithm: int | None
) -> None:
    of = settings(read("today"), detector)
    assert (of.batch_size, of.learning_rate, of.crop_samples) == (batch_size, learning_rate, crop_samples)
    assert [link["settings"]["algorithm"] for link in of.augmentation] == ([algorithm] if algorithm else [])


@pytest.mark.parametrize("name", NAMES)
def test_the_small_form_has_the_models_of_the_experiment(name: str) -> None:
    small, full = read(str(SMALL / f"{name}.yaml")), read(name)
    ours = {model.rpartition("/")[0] for model in small.model_names()}
    assert ours <= {model.rpartition("/")[0] for model in full.model_names()}
    assert {model.split("/")[1] for model in ours} == {"vocoder", "codec", "co"}


@pytest.mark.parametrize("name", NAMES)
def test_the_small_form_is_planned(name: str, tmp_path: Path) -> None:
    jobs = rerun(tmp_path, SMALL / f"{name}.yaml")
    assert jobs["train_detector"] == len(read(str(SMALL / f"{name}.yaml")).model_names())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name == "today" else pytest.mark.slow) for name in NAMES]
)
def test_the_small_form_ends_in_a_report(name: str, tiny_copy: Path) -> None:
    done = snakemake(tiny_copy, SMALL / f"{name}.yaml", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(tiny_copy / "results/tables/cross_conditions.csv")
    assert set(table["training_set"]) == {"vocoder", "codec", "co"}
    html = (tiny_copy / "results/report.html").read_text(encoding="utf-8")
    assert ("Learned weights of layers" in html) == (name == "today")
