"""config.yaml, as its file and Snakemake's command line write it."""

from pathlib import Path
from typing import Any

import pytest

from codecfake.base.settings import Fault
from codecfake.base.validation import ConfigurationError, read_yaml
from codecfake.experiment.configuration import Values, configuration


@pytest.mark.parametrize(("value", "meaning"), [(False, False), ("false", False), ("False", False), ("true", True)])
def test_the_check_of_the_disk_is_switched_by_the_file_and_by_the_command_line(value: Any, meaning: bool) -> None:
    assert configuration({"experiment": "demo", "check_disk": value}).check_disk is meaning


def test_a_corpus_has_no_root_where_the_command_line_says_null() -> None:
    config = {"experiment": "demo", "corpora": {"itw": "null", "vctk": "/data/vctk", "19la": None}, "weights": None}
    assert configuration(config).corpora == {"itw": None, "vctk": "/data/vctk", "19la": None}


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


def said_of(path: Path, text: str, **of_command_line: Any) -> list[str]:
    """The faults of a config.yaml and values of `--config`."""
    path.write_text(text, encoding="utf-8")
    values = Values({**read_yaml(path), **of_command_line}, [path])
    return [values.message(fault).removeprefix(f"{path.parent}/") for fault in values.sound()[1]]


def test_a_fault_is_located_in_the_file_or_on_the_command_line(tmp_path: Path) -> None:
    text = "experiment: demo\ncorpora:\n  vctk: 1\ndevice: gpu\n"
    assert [line[: line.index(": ") + 1] for line in said_of(tmp_path / "config.yaml", text, check_dsk=False)] == [
        "command line:", "config.yaml:3:", "config.yaml:4:",
    ]  # fmt: skip
    (line,) = said_of(tmp_path / "config.yaml", "experiment: demo\ndevice: cpu\n", device="gpu")
    assert line.startswith("command line: device: unknown value 'gpu'")


def test_a_missing_value_is_located_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("experiment: demo\ncorpora: {vctk: null}\n", encoding="utf-8")
    values = Values(read_yaml(path), [path])
    assert values.message(Fault(("corpora",), "no root", "itw")) == f"{path}:2: corpora: no root"
    assert said_of(path, "device: cpu\n") == ["config.yaml:1: setting 'experiment' is missing; a value is needed"]


def test_a_duplicate_key_in_a_configuration_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("experiment: demo\ndevice: cpu\ndevice: cuda\n", encoding="utf-8")
    (damage,) = Values({"experiment": "demo", "device": "cuda"}, [tmp_path / "config.yaml"]).damages
    assert damage.endswith("config.yaml:3: duplicate key 'device' in lines 2 and 3; delete or rename one")
