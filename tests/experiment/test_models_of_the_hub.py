"""The models of the hub that a run fetches before the jobs that need them."""

from dataclasses import replace
from pathlib import Path

import pytest
from places import EXPERIMENTS

from codecfake.experiment import hub_models, reading
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.schema import Experiment
from codecfake.experiment.weights import Hub
from codecfake.generators import registry

XLS_R, WAVLM, HUBERT = "facebook/wav2vec2-xls-r-300m", "microsoft/wavlm-large", "facebook/hubert-base-ls960"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VOCOS, T5 = "charactr/vocos-encodec-24khz", "google-t5/t5-large"


@pytest.fixture(scope="module")
def xie2025() -> Experiment:
    return reading.load(EXPERIMENTS / "xie2025.yaml")


def test_front_ends_teachers_and_parts_of_generators_are_fetched_once_each(xie2025: Experiment) -> None:
    assert hub_models.all_of(xie2025) == [HUBERT, XLS_R, WAVLM, VOCOS, T5]


def test_parts_of_generators_are_fetched_by_the_names_of_their_files(xie2025: Experiment) -> None:
    assert hub_models.files_of(xie2025, VOCOS) == ("config.yaml", "pytorch_model.bin")
    assert "spiece.model" in hub_models.files_of(xie2025, T5)
    assert hub_models.files_of(xie2025, XLS_R) == ()


def test_a_generator_with_another_decoder_does_not_fetch_vocos() -> None:
    assert registry.hub_models("vallex", {"decoder": "codec"}) == {}
    assert registry.hub_models("audiogen", {"text_encoder": "random"}) == {}
    assert [*registry.hub_models("audiogen", {"text_encoder": "OWNER/t5"})] == ["OWNER/t5"]


def test_each_job_waits_for_its_own_models(xie2025: Experiment) -> None:
    inputs = Inputs(xie2025)
    record = "results/weights/{}/provenance.json".format
    assert inputs.front_end_of_model("w2v2-lcnn", "codec", "erm") == [record("facebook--wav2vec2-xls-r-300m")]
    assert inputs.front_end_of_model("mel-lcnn", "codec", "erm") == []
    assert inputs.teacher_of_codec("speechtokenizer") == [record("facebook--hubert-base-ls960")]
    assert inputs.teacher_of_codec("dac") == []
    assert inputs.parts_of_generator("vallex") == [record("charactr--vocos-encodec-24khz")]
    assert inputs.parts_of_generator("audiogen") == [record("google-t5--t5-large")]
    assert inputs.parts_of_generator("valle") == []


def test_weights_of_a_codec_are_fetched_at_their_commit_and_are_inputs_of_its_jobs() -> None:
    tiny = reading.load(EXPERIMENTS / "tiny.yaml")
    weights = Hub(f"kyutai/mimi@{COMMIT}", "CC-BY-4.0")
    mimi = replace(tiny.codecs["encodec"], wrapper="transformers", model={"family": "mimi"}, weights=weights)
    changed = replace(tiny, codecs={**tiny.codecs, "encodec": mimi})
    assert hub_models.all_of(changed) == [f"kyutai/mimi@{COMMIT}"]
    folder = f"results/weights/kyutai--mimi--{COMMIT}"
    assert weights.inputs("encodec", Path("weights")) == [f"{folder}/provenance.json"]
    assert weights.path("encodec", Path("weights")) == Path(folder)
    assert changed.licenses_of("encodec") == {"code": "Apache-2.0", "weights": "CC-BY-4.0"}


def test_a_local_folder_is_not_fetched(xie2025: Experiment, tmp_path: Path) -> None:
    of_detector = xie2025.detectors["w2v2-lcnn"]
    local = {**of_detector, "front_end": {**of_detector["front_end"], "weights": str(tmp_path)}}
    changed = replace(xie2025, detectors={**xie2025.detectors, "w2v2-lcnn": local})
    assert hub_models.of_detector(changed, "w2v2-lcnn", "codec", "erm") == []


def test_an_experiment_of_small_parts_fetches_nothing() -> None:
    assert hub_models.all_of(reading.load(EXPERIMENTS / "demo.yaml")) == []
