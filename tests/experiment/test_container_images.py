"""The container of config.yaml."""

from pathlib import Path

import pytest

from codecfake.experiment import containers, site


def test_an_image_of_a_registry_is_passed_on_as_it_is(tmp_path: Path) -> None:
    assert containers.image("docker://example.org/codecfake", tmp_path) == "docker://example.org/codecfake"
    assert list(containers.faults("docker://example.org/codecfake", tmp_path)) == []


def test_the_path_of_a_file_starts_from_the_folder_of_the_snakefile(tmp_path: Path) -> None:
    (tmp_path / "codecfake.sif").touch()
    assert list(containers.faults("codecfake.sif", tmp_path)) == []
    assert containers.image("codecfake.sif", tmp_path) == str(tmp_path / "codecfake.sif")


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("codecfake", "container: 'codecfake' is no image; write docker://codecfake"),
        ("no.sif", "container: there is no file"),
    ],
)
def test_a_container_that_is_none_is_refused_before_any_job(container: str, message: str, tmp_path: Path) -> None:
    result = site.check({"experiment": "tiny", "container": container}, tmp_path)
    assert any(message in fault for fault in result.faults)


def test_without_a_container_there_is_none(tmp_path: Path) -> None:
    assert site.read({"experiment": "tiny"}, tmp_path).container is None
