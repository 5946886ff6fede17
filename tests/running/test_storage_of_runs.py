"""The storage of a run: without one, jobs keep their inputs and settings; with one, they get what their rules name."""

import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from places import EXPERIMENTS, TINY
from snakemake.io import is_flagged
from snakemake.iocontainers import Wildcards

from codecfake.experiment import reading
from codecfake.experiment.inputs import Inputs
from codecfake.running.places import above
from codecfake.running.storage import Storage, provided

OUTPUT = ["results/models/mel-lcnn/codec/erm/seed1/weights.safetensors"]


def on_one_disk() -> Storage:
    settings = SimpleNamespace(default_storage_provider=None, default_storage_prefix=None)
    return Storage(SimpleNamespace(storage_settings=settings))


def in_a_bucket() -> Storage:
    """A storage that keeps local copies in `copies/`."""
    settings = SimpleNamespace(default_storage_provider="s3", default_storage_prefix="s3://bucket/run")
    provider = SimpleNamespace(object=lambda query: SimpleNamespace(local_path=lambda: f"copies/{query[5:]}"))
    registry = SimpleNamespace(default_storage_provider=provider)
    return Storage(SimpleNamespace(storage_settings=settings, storage_registry=registry))


def wildcards(**values: str) -> Wildcards:
    return Wildcards(fromdict=values)


@pytest.mark.parametrize("value", ["results/audio/{corpus}", ["--weights", "results/weights/encodec_24khz"]])
def test_on_one_disk_a_part_of_a_command_stays_a_setting_of_its_job(value: Any) -> None:
    assert on_one_disk().argument(value) is value
    assert on_one_disk().local_path("results/audio") == "results/audio"
    assert on_one_disk().copies == Path()


def test_in_a_bucket_parts_of_a_command_name_local_copies_and_are_no_settings() -> None:
    argument = in_a_bucket().argument(["--weights", "results/weights/encodec_24khz", "/data/other"])
    assert isinstance(argument, types.FunctionType) and "output" in argument.__code__.co_varnames
    assert argument(wildcards(), OUTPUT) == [
        "--weights",
        "copies/bucket/run/results/weights/encodec_24khz",
        "/data/other",
    ]


def test_in_a_bucket_wildcards_are_filled_in() -> None:
    folder = in_a_bucket().argument("results/audio/{corpus}")
    assert folder(wildcards(corpus="english"), OUTPUT) == "copies/bucket/run/results/audio/english"
    by_wildcards = in_a_bucket().argument(lambda each: [f"results/codecs/{each.codec}"])
    assert by_wildcards(wildcards(codec="dac"), OUTPUT) == ["copies/bucket/run/results/codecs/dac"]


def test_a_bucket_has_an_address_for_every_file_and_jobs_here_a_folder_of_copies() -> None:
    assert in_a_bucket().address("results/report.html") == "s3://bucket/run/results/report.html"
    assert in_a_bucket().copies == Path("copies/bucket/run")


def test_files_of_the_package_and_of_the_user_are_never_in_a_storage() -> None:
    ours, theirs = provided(["results/codecs/dac/weights.safetensors", "/data/weights/dac.safetensors"])
    assert not is_flagged(ours, "local")
    assert is_flagged(theirs, "local")


@pytest.mark.parametrize("root", ["", "copies/bucket/results/run/"])
def test_the_folder_of_results_is_the_one_above_a_job_s_outputs(root: str) -> None:
    assert above(6)({}, [root + OUTPUT[0]]) == f"{root}results"


def test_on_one_disk_a_list_stands_for_its_shards_and_in_a_storage_these_are_named_too() -> None:
    experiment = reading.load(TINY)
    one_disk, stored = Inputs(experiment), Inputs(experiment, is_stored=True)
    assert one_disk.lists([("mandarin", "F01")]) == ["results/audio/mandarin/F01/shards.tsv"]
    folder = "results/audio/mandarin/F01/"
    assert stored.lists([("mandarin", "F01")]) == [
        f"{folder}{name}" for name in ("shards.tsv", "0000.tar", "0000.parquet")
    ]


def test_in_a_storage_the_recordings_of_a_demo_are_one_file_per_corpus() -> None:
    experiment = reading.load(TINY)
    assert Inputs(experiment).stored.of_recordings("english") == Inputs(experiment).stored.demo_archives() == []
    stored = Inputs(experiment, is_stored=True)
    assert stored.stored.of_recordings("english") == ["results/demo_archives/VCTK.tar"]
    assert set(stored.stored.of_recordings("english")) < set(stored.stored.demo_archives())


def test_in_a_storage_the_record_of_a_checkpoint_does_not_stand_for_its_weights() -> None:
    record = "results/weights/encodec_24khz/provenance.json"
    assert Inputs(reading.load(TINY)).stored.with_weights([record]) == [record]
    named = Inputs(reading.load(TINY), is_stored=True).stored.with_weights([record, "/data/own.safetensors"])
    assert set(named) == {record, "/data/own.safetensors", "results/weights/encodec_24khz/weights.safetensors"}


def test_in_a_storage_scoring_names_the_record_of_a_front_end_of_the_hub() -> None:
    experiment = reading.load(EXPERIMENTS / "xie2025.yaml")
    models = [name.split("/")[:3] for name in experiment.model_names()]
    one_disk, stored = Inputs(experiment), Inputs(experiment, is_stored=True)
    assert not any(one_disk.stored.front_end_of_model(*model) for model in models)
    assert [stored.stored.front_end_of_model(*model) for model in models] == [
        one_disk.front_end_of_model(*model) for model in models
    ]
    assert any(stored.stored.front_end_of_model(*model) for model in models)
