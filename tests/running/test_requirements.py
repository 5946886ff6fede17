"""Packages that a run needs, asked for before its first job."""

from importlib import metadata
from types import SimpleNamespace
from typing import Any

import pytest
from places import TINY

from codecfake.degradation.settings import KINDS
from codecfake.experiment import reading
from codecfake.running import hooks, requirements


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of distributions that are hidden from the code under test."""
    names: set[str] = set()
    installed = metadata.distribution

    def distribution(name: str) -> metadata.Distribution:
        if name in names:
            raise metadata.PackageNotFoundError(name)
        return installed("pytest")

    monkeypatch.setattr(metadata, "distribution", distribution)
    return names


def test_nothing_is_missing_where_all_is_installed(absent: set[str]) -> None:
    assert requirements.missing([*requirements.NEEDS, "resynthesize_dac", "protocols"], ["encodec"]) == []


def test_a_run_of_protocols_needs_no_network_package(absent: set[str]) -> None:
    absent |= {"torch", "encodec", "pystoi"}
    assert requirements.missing(["protocols", "write_partition", "ingest_corpus", "tabulate"], ["encodec"]) == []


def test_every_missing_package_is_named_once_with_the_line_that_installs_it(absent: set[str]) -> None:
    absent |= {"torch", "encodec", "pystoi", "ai-edge-litert"}
    rules = ["resynthesize_encodec", "train_codec", "score", "quality"]
    assert requirements.missing(rules, ["encodec", "encodec", "ai-edge-litert"]) == [
        "torch: not installed; run `pip install 'codecfake[codecs]'`",
        "torch: not installed; run `pip install 'codecfake[detectors]'`",
        "pystoi: not installed; run `pip install 'codecfake[quality]'`",
        "ai-edge-litert: not installed; run `pip install ai-edge-litert`",
        "encodec: not installed; run `codecfake install-codecs`",
    ]


def test_a_kind_of_degradation_needs_its_package_where_audio_is_degraded(absent: set[str]) -> None:
    absent |= {"av"}
    kinds = [KINDS["aac"], KINDS["mp3"]]
    assert requirements.missing(["degrade", "audit"], [], [], kinds) == [
        "av: not installed; run `pip install 'codecfake[aac]'`"
    ]
    assert requirements.missing(["audit"], [], [], kinds) == []


def of_tiny(deployment: set[str]) -> hooks.Run:
    """A run of the tiny experiment, with what its checks of packages read."""
    workflow = SimpleNamespace(deployment_settings=SimpleNamespace(deployment_method=deployment))
    others: dict[str, Any] = {"papers": None, "jobs": None, "gpus": None, "storage": None, "is_module": False}
    return hooks.Run(workflow, SimpleNamespace(experiment=reading.load(TINY)), **others)  # type: ignore[arg-type]


def test_a_dry_run_warns_of_missing_packages(absent: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    absent |= {"encodec", "pystoi", "descript-audio-codec"}
    of_tiny(set())._warn_of_missing_packages()
    assert capsys.readouterr().err.splitlines() == [
        "",
        "Warning: packages are missing for a run to the report:",
        "pystoi: not installed; run `pip install 'codecfake[quality]'`",
        "encodec: not installed; run `codecfake install-codecs`",
    ]


def test_packages_of_jobs_in_environments_of_their_own_are_not_missed(
    absent: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    absent |= {"encodec", "pystoi"}
    of_tiny({"conda"})._warn_of_missing_packages()
    assert capsys.readouterr().err == ""
