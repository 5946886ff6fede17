"""Released detectors in an experiment: what its models are called, the jobs that make them, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from places import EXPERIMENTS, PUBLISHED

from codecfake.base.validation import ConfigurationError
from codecfake.experiment import licenses, reading, released
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.outputs import outputs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.tables.published import Published

AASIST = {
    "front_end": {"name": "sinc"},
    "back_end": {"name": "aasist", "projection": None, "block_pool": 3, "nodes": "max", "pool_ratios": [0.5, 0.7, 0.5]},
}
TRAINED = {"detectors": ["mel-lcnn"], "training_sets": ["codec"]}
PLAIN = {"detectors": ["aasist"], "released": "aasist"}
NAME = "aasist/released/erm/seed0"


def text_of(*models: Any, **changes: Any) -> str:
    values = {"based_on": str(EXPERIMENTS / "tiny.yaml"), "detectors": {"aasist": AASIST}, "models": list(models)}
    return yaml.safe_dump({**values, **changes}, sort_keys=False)


def experiment(folder: Path, *models: Any, **changes: Any) -> Experiment:
    (folder / "mine.yaml").write_text(text_of(*models, **changes), encoding="utf-8")
    return reading.load(folder / "mine.yaml")


def jobs_of(of: Experiment) -> Jobs:
    return Jobs(of, Papers(of, Published(PUBLISHED)), {})


def released_as(**weights: Any) -> dict[str, Any]:
    return {"detectors": ["aasist"], "released": {"form": "aasist", **weights}}


def test_a_form_s_name_is_all_that_an_entry_needs(tmp_path: Path) -> None:
    of = experiment(tmp_path, TRAINED, PLAIN)
    assert of.model_names() == ["mel-lcnn/codec/erm/seed1", NAME]
    assert released.trained_names(of) == released.calibrated_names(of) == ["mel-lcnn/codec/erm/seed1"]


def test_several_files_of_one_detector_are_told_apart_by_name(tmp_path: Path) -> None:
    entries = [released_as(), released_as(name="mine", file="a.pth", strategy="sam")]
    assert experiment(tmp_path, *entries).model_names() == [NAME, "aasist/released-mine/sam/seed0"]


def test_a_released_model_is_fetched_imported_calibrated_and_scored_but_not_trained(tmp_path: Path) -> None:
    of = experiment(tmp_path, TRAINED, released_as(calibrate_on="vocoder"))
    walk = list(jobs_of(of).walk())
    model = ("aasist", "released", "erm", "0")
    ours = [job for job in walk if "aasist" in job[1]]
    assert ours == [
        ("fetch_detector", ("aasist",)), ("import_detector", model), ("calibrate_detector", model), ("score", model),
    ]  # fmt: skip
    assert [job for job in walk if job[0] in ("train_detector", "check_lists")] == [
        ("check_lists", ("codec",)), ("train_detector", ("mel-lcnn", "codec", "erm", "1")),
    ]  # fmt: skip
    files = [path for job in ours for one in outputs(job, of) for path in one]
    assert f"results/models/{NAME}/calibration.json" in files and f"results/models/{NAME}/history.tsv" not in files


def test_a_local_file_is_not_fetched(tmp_path: Path) -> None:
    of = experiment(tmp_path, released_as(file="mine/a.pth"))
    assert released.forms_to_fetch(of) == []
    weights = released.weights_at(of, "aasist", "released", "erm")
    assert released.path_of(weights, Path("/data/weights")) == Path("/data/weights/mine/a.pth")


def test_a_report_waits_for_the_histories_and_calibrations_that_there_will_be(tmp_path: Path) -> None:
    inputs = Inputs(experiment(tmp_path, TRAINED, released_as()))
    assert inputs.models() == [
        "results/models/mel-lcnn/codec/erm/seed1/weights.safetensors",
        f"results/models/{NAME}/weights.safetensors",
        "results/models/mel-lcnn/codec/erm/seed1/history.tsv",
    ]
    assert inputs.calibrations() == ["results/models/mel-lcnn/codec/erm/seed1/calibration.json"]


def test_lists_that_a_released_model_knows_are_kept_from_its_evaluation(tmp_path: Path) -> None:
    inputs = Inputs(experiment(tmp_path, TRAINED, released_as(trained_on=["vocoder"], calibrate_on="codec")))
    assert inputs.lists_known_to("aasist", "released", "erm") == [
        "results/protocols/vocoder/train.tsv",
        "results/protocols/codec/dev.tsv",
    ]
    assert inputs.lists_known_to("mel-lcnn", "codec", "erm") == ["results/protocols/codec/train.tsv"]


@pytest.mark.parametrize(("domains", "is_baseline"), [(["vocoder"], True), (["codec"], False), ([], False)])
def test_a_released_model_is_a_baseline_if_it_is_known_to_be_trained_without_codec_fakes(
    tmp_path: Path, domains: list[str], is_baseline: bool
) -> None:
    of = experiment(tmp_path, TRAINED, released_as(**({"trained_on": domains} if domains else {})))
    assert released.baselines(of) == ["released"] * is_baseline
    assert jobs_of(of).tabulate().settings.baselines == ["released"] * is_baseline
    assert jobs_of(of).report().settings.training_protocols.get("released") == (
        [f"{name}/train" for name in domains] or None
    )


def test_jobs_of_an_experiment_without_released_models_say_nothing_of_them() -> None:
    jobs = jobs_of(reading.load(EXPERIMENTS / "tiny.yaml"))
    assert "released" not in jobs.report().text
    assert "baselines" not in jobs.tabulate().text


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({**TRAINED, **PLAIN}, "models.0.training_sets: released weights are not"),
        ({**PLAIN, "seeds": [1]}, "models.0.seeds: released weights are not trained"),
        ({**PLAIN, "strategies": ["sam"]}, "models.0.strategies: released weights"),
        ({"detectors": ["aasist"]}, "models.0.training_sets: it is missing; name training sets, or give `released`"),
        ({**PLAIN, "released": "aasits"}, "released.form: unknown released detector 'aasits'; did you mean"),
        ({**PLAIN, "released": 3}, "models.0.released: expected the name of a form or a mapping of settings"),
        ({**PLAIN, "detectors": ["mel-lcnn"]}, "mel-lcnn: front_end.name: 'mel', but the released aasist has"),
        ({"detectors": ["mel-lcnn"], "released": "mel-lcnn"}, "no address of the file of mel-lcnn is known; give its"),
        ({"detectors": ["lcnn"], "released": "aasist"}, "models.0.detectors: unknown detector 'lcnn'"),
        (released_as(strategy="smap"), "models.0.released.strategy: unknown strategy 'smap'"),
        (released_as(trained_on=["vocodr"]), "models.0.released.trained_on: unknown domain 'vocodr'"),
        (released_as(calibrate_on="vocodr"), "models.0.released.calibrate_on: unknown domain 'vocodr'"),
        (released_as(licence="MIT"), "models.0.released: unknown setting 'licence'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_key(tmp_path: Path, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        experiment(tmp_path, entry)
    assert message in str(error.value)


def test_two_files_of_one_detector_need_names(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="another entry has released weights of aasist; give one of them a `name`"
    ):
        experiment(tmp_path, released_as(), released_as(file="b.pth"))


def test_weights_with_one_name_are_of_one_training(tmp_path: Path) -> None:
    light = {**AASIST, "back_end": {**AASIST["back_end"], "channels": [32, 24], "graph_dims": [24, 32]}}
    light["back_end"]["pool_ratios"] = [0.4, 0.5, 0.7]
    entries = [released_as(trained_on=["vocoder"]), {"detectors": ["light"], "released": "aasist-l"}]
    with pytest.raises(ConfigurationError, match="released.trained_on: other released weights have other domains here"):
        experiment(tmp_path, *entries, detectors={"aasist": AASIST, "light": light})


def test_no_training_set_has_a_name_of_released_detectors(tmp_path: Path) -> None:
    sets = {"released-2": {"domains": ["codec"]}}
    with pytest.raises(ConfigurationError, match="training_sets.released-2: names that begin with 'released' are of"):
        experiment(tmp_path, TRAINED, training_sets=sets)


def test_a_file_that_is_not_there_is_refused_and_one_that_is_fetched_need_not_be(tmp_path: Path) -> None:
    of = experiment(tmp_path, released_as(), released_as(file="mine.pth", name="mine"))
    (fault,) = released.file_faults(of, tmp_path)
    assert str(fault).startswith(
        f"models.1.released.file: there is no file {tmp_path / 'mine.pth'}; put the file there"
    )
    (tmp_path / "mine.pth").touch()
    assert list(released.file_faults(of, tmp_path)) == []


def test_permissive_refuses_released_weights_without_a_license(tmp_path: Path) -> None:
    mel = {"front_end": {"name": "mel"}, "back_end": {"name": "lcnn"}}
    entry = {"detectors": ["mel"], "released": {"form": "mel-lcnn", "file": "a.pt"}}
    (fault,) = licenses.license_faults(experiment(tmp_path, entry, detectors={"mel": mel}, license="permissive"))
    assert "the released mel-lcnn (code: unstated), the released mel-lcnn (weights: unstated)" in fault.text
    assert list(licenses.license_faults(experiment(tmp_path, released_as(), license="permissive"))) == []


def test_the_rows_of_wu2024_that_others_trained_are_released_and_the_paper_s() -> None:
    of = reading.load(EXPERIMENTS / "wu2024.yaml")
    assert list(released.models(of)) == [NAME, "aasist-l/released/erm/seed0"]
    assert not [job for job in jobs_of(of).walk() if job[0] == "train_detector" and job[1][1] == "asvspoof"]
    cells = Published(PUBLISHED).error_rates("wu2024_figure2").cells
    assert set(cells.loc[cells["training"] == "ASVspoof", "our_training_set"]) == {"released"}
