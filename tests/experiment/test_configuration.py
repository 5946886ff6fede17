"""config.yaml, as its file and Snakemake's command line write it."""

from pathlib import Path
from typing import Any

import pytest

from codecfake.base.validation import ConfigurationError
from codecfake.experiment.configuration import check_files, configuration


@pytest.mark.parametrize(("value", "meaning"), [(False, False), ("false", False), ("False", False), ("true", True)])
def test_the_check_of_the_disk_is_switched_by_the_file_and_by_the_command_line(value: Any, meaning: bool) -> None:
    assert configuration({"experiment": "demo", "check_disk": value}).check_disk is meaning


def test_a_corpus_has_no_root_where_the_command_line_says_null() -> None:
    given = {"experiment": "demo", "corpora": {"itw": "null", "vctk": "/data/vctk", "19la": None}, "weights": None}
    assert configuration(given).corpora == {"itw": None, "vctk": "/data/vctk", "19la": None}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"check_disk": "flase"}, "config.yaml: check_disk: expected true or false, found 'flase'"),
        (
            {"device": "gpu"},
            "config.yaml: device: unknown value 'gpu'; did you mean 'cpu'? Choose from cpu, cuda",
        ),
        ({"devise": "cpu"}, "config.yaml: unknown setting 'devise'; did you mean 'device'?"),
        ({"corpora": {"vctk": 1}}, "config.yaml: corpora.vctk: expected text, found 1"),
        ({"experiment": ""}, "config.yaml: experiment: it is empty"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        configuration({"experiment": "demo", **values})
    assert message in str(error.value)


def test_all_faults_are_listed() -> None:
    with pytest.raises(ConfigurationError) as error:
        configuration({"experiment": 1, "device": "gpu"})
    assert len(str(error.value).splitlines()) == 2


def test_a_key_that_stands_twice_in_a_configuration_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("experiment: demo\ndevice: cpu\ndevice: cuda\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="config.yaml:3: duplicate key 'device' in lines 2 and 3"):
        check_files([str(tmp_path / "config.yaml")])
