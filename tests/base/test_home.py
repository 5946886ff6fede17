"""`~` means the home folder in every path: of config.yaml, of experiments, on the command line."""

from pathlib import Path

import pytest
import yaml
from places import EXPERIMENTS

from codecfake import commands
from codecfake.base import plugins
from codecfake.base.home import expanded
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import configuration, layers, site
from codecfake.experiment.weights import Local


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_tilde_is_the_home_folder_and_no_other_name(home: Path) -> None:
    assert expanded("~/data") == str(home / "data")
    assert expanded("~") == str(home)
    for path in ("data/~", "./~/data", "/data", "", "~nobody-of-that-name/data"):
        assert expanded(path) == path


def test_every_path_of_the_configuration_can_begin_at_home(home: Path) -> None:
    values = {
        "experiment": "~/mine.yaml",
        "corpora": {"vctk": "~/VCTK", "itw": "~", "aishell3": None},
        "weights": "~/w",
    }
    settings = configuration.configuration({**values, "relative_to": "~"})
    assert settings.experiment == str(home / "mine.yaml")
    assert settings.corpora == {"vctk": str(home / "VCTK"), "itw": None, "aishell3": None}  # ~ alone is YAML's null
    assert settings.weights == str(home / "w")
    assert configuration.folder({"relative_to": "~/here"}) == home / "here"
    assert configuration.folder({}) is None


def test_a_site_finds_its_experiment_and_its_corpora_at_home(home: Path, tmp_path: Path) -> None:
    for name in ("vctk", "aishell3"):
        (home / name).mkdir()
    (home / "mine.yaml").write_text("based_on: real-small\ntitle: Mine\n", encoding="utf-8")
    corpora = {"vctk": "~/vctk", "aishell3": "~/aishell3"}
    read = site.read({"experiment": "~/mine.yaml", "corpora": corpora}, Path("/nowhere"))
    assert (read.experiment.title, read.root("vctk")) == ("Mine", home / "vctk")
    with pytest.raises(ConfigurationError, match=f"{home / 'absent'} is not a folder"):
        site.read({"experiment": "~/mine.yaml", "corpora": {**corpora, "vctk": "~/absent"}}, Path("/nowhere"))


def test_paths_in_an_experiment_can_begin_at_home(home: Path) -> None:
    (home / "base.yaml").write_text((EXPERIMENTS / "tiny.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (home / "below").mkdir()
    (home / "below/mine.yaml").write_text(yaml.safe_dump({"based_on": "~/base.yaml", "seed": 7}), encoding="utf-8")
    assert layers.read(home / "below/mine.yaml").values()["seed"] == 7
    assert Local("~/own.safetensors").path("encodec", Path("weights")) == home / "own.safetensors"
    (home / "own.py").write_text("def build(): ...\n", encoding="utf-8")
    assert plugins.load("~/own.py:build").__name__ == "build"


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "--run=~/runs", "--output=~/flac"],
        ["run", "--run", "~/runs"],
        ["eer", "~/a.tsv", "~/b.tsv", "--protocol", "~/p.txt"],
        ["check", "--run=~/runs"],
    ],
)
def test_every_path_on_the_command_line_can_begin_at_home(home: Path, arguments: list[str]) -> None:
    options = vars(commands.parser().parse_args(arguments))
    paths = [path for value in options.values() for path in (value if isinstance(value, list) else [value])]
    paths = [path for path in paths if isinstance(path, Path) and path != Path()]
    assert paths
    assert all(path.is_relative_to(home) for path in paths)
