"""Packages that a run needs, asked for before its first job."""

from importlib import metadata

import pytest

from codecfake.base.installation import InstallationError
from codecfake.running import requirements


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
    requirements.require([*requirements.NEEDS, "resynthesize_dac", "protocols"], ["encodec"])


def test_a_run_of_protocols_needs_no_network_package(absent: set[str]) -> None:
    absent |= {"torch", "encodec", "pystoi"}
    requirements.require(["protocols", "write_partition", "ingest_corpus", "tabulate"], ["encodec"])


def test_every_missing_package_is_named_once_with_the_line_that_installs_it(absent: set[str]) -> None:
    absent |= {"torch", "encodec", "pystoi", "ai-edge-litert"}
    rules = ["resynthesize_encodec", "train_codec", "score", "quality"]
    with pytest.raises(InstallationError) as raised:
        requirements.require(rules, ["encodec", "encodec", "ai-edge-litert"])
    assert str(raised.value).splitlines() == [
        "packages are missing for this run:",
        "torch: not installed; run `pip install 'codecfake[codecs]'`",
        "torch: not installed; run `pip install 'codecfake[detectors]'`",
        "pystoi: not installed; run `pip install 'codecfake[quality]'`",
        "ai-edge-litert: not installed; run `pip install ai-edge-litert`",
        "encodec: not installed; run `codecfake install-codecs`",
    ]
