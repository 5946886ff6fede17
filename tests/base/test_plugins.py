"""Names of code outside the package lead to it, or to an error that says what to correct."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codecfake.base import plugins
from codecfake.base.plugins import PluginError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an experiment; what is imported from it is forgotten afterwards."""
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    plugins.look_beside(tmp_path / "mine.yaml")
    yield tmp_path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_an_installed_module_is_imported_as_python_finds_it(folder: Path) -> None:
    (folder / "colorsys.py").write_text("def rgb_to_hsv(): ...")
    assert plugins.load("colorsys:rgb_to_hsv").__code__.co_argcount == 3
    assert plugins.file_of("colorsys:rgb_to_hsv") is None


def test_a_module_beside_the_experiment_is_imported_and_is_an_input(folder: Path) -> None:
    (folder / "beside_one.py").write_text("def build(): return 1")
    assert plugins.load("beside_one:build")() == 1
    assert plugins.file_of("beside_one:build") == folder / "beside_one.py"


def test_a_module_of_a_package_beside_the_experiment_may_import_its_neighbors(folder: Path) -> None:
    (folder / "my_package").mkdir()
    (folder / "my_package/__init__.py").touch()
    (folder / "my_package/helper.py").write_text("VALUE = 3")
    (folder / "my_package/mimi.py").write_text("from my_package.helper import VALUE\ndef build(): return VALUE")
    assert plugins.load("my_package.mimi:build")() == 3
    assert plugins.file_of("my_package.mimi:build") == folder / "my_package/mimi.py"


def test_a_path_leads_to_that_file_whatever_else_has_its_name(folder: Path) -> None:
    (folder / "colorsys.py").write_text("def build(): return 'mine'")
    assert plugins.load("colorsys.py:build")() == "mine"
    assert plugins.load("colorsys:rgb_to_hsv").__module__ == "colorsys"
    assert plugins.file_of("colorsys.py:build") == folder / "colorsys.py"


def test_another_experiment_finds_its_own_module_of_the_same_name(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "beside_two.py").write_text(f"def build(): return {name!r}")
    for name in ("a", "b", "a"):
        plugins.look_beside(folder / name / "mine.yaml")
        assert plugins.load("beside_two:build")() == name


def test_processes_that_are_started_look_in_the_same_folder(folder: Path) -> None:
    (folder / "beside_three.py").write_text("def build(): return 4")
    code = "from codecfake.base import plugins; print(plugins.load('beside_three:build')())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "4\n"
    assert os.environ[plugins.VARIABLE] == str(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent_module:build", "", r"there is no module 'absent_module' among the installed packages and"),
        ("absent.py:build", "", r"there is no file .*absent.py; put it there, or correct the path"),
        ("os.absent:build", "", r"there is no module 'os.absent'"),
        ("broken.py:biuld", "def build(): ...", r"unknown name in .*broken.py 'biuld'; did you mean 'build'\?"),
        ("broken.py:build", "build = 3", r"build in .*broken.py is 3; name a function or a class"),
        ("broken.py:build", "\nimport absent_package", r"broken.py, line 2: No module named 'absent_package'; install"),
        ("broken.py:build", "\n\n1 / 0", r"broken.py, line 3: ZeroDivisionError: division by zero; correct the module"),
        ("broken.py:build", "def build(:", r"broken.py, line 1: SyntaxError"),
        ("broken.py:", "", r"write MODULE:NAME, such as my_codecs.mimi:build, or FILE.py:NAME"),
    ],
)
def test_a_name_that_leads_nowhere_says_what_to_correct(folder: Path, name: str, text: str, message: str) -> None:
    (folder / "broken.py").write_text(text)
    with pytest.raises(PluginError, match=message):
        plugins.load(name)


def test_names_of_ours_are_not_outside() -> None:
    assert not plugins.is_outside("encodec")
    assert plugins.file_of("encodec") is None
