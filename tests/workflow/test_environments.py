"""The conda environments: every package is pinned, as in the main set-up; the image is set up by the same command."""

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import ROOT

ENVS = ROOT / "envs"
NAMES = ("data", "codecs", "detectors", "quality")
CLOSURE = "      # what these need, as in constraints.txt\n"
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.7", "implementation_name": "cpython"}
OF_LINUX_ALONE = re.compile(r"cuda-|nvidia-|triton$")

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="packages' needs are read from those installed here")


def chosen(name: str) -> list[str]:
    """The packages that an environment names for itself."""
    return _packages((ENVS / f"{name}.yaml").read_text(encoding="utf-8").partition(CLOSURE)[0])


def needed(name: str) -> list[str]:
    """The packages below these, which it pins as well."""
    return _packages((ENVS / f"{name}.yaml").read_text(encoding="utf-8").partition(CLOSURE)[2])


def _packages(text: str) -> list[str]:
    return re.findall(r"^      - (.+)$", text, re.MULTILINE)


def constraints() -> dict[str, str]:
    text = (ENVS / "constraints.txt").read_text(encoding="utf-8")
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([^#=\s]+)==(\S+)$", text, re.MULTILINE)
    }


def closure(requirements: list[str]) -> set[str]:
    """The names of all packages that these need, and those again, on Linux."""
    found: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(text) for text in requirements]
    while todo:
        one = todo.pop()
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key in found:
            continue
        found.add(key)
        below = [Requirement(text) for text in metadata.requires(one.name) or []]
        todo += [need for need in below if _applies(need, one.extras)]
    return {name for name, _ in found}


def _applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(
        need.marker.evaluate({**LINUX, **PYTHON, "extra": extra}) for extra in extras or {""}
    )


def pinned(name: str) -> str:
    return f"{name}=={constraints()[name]}" + (" ; sys_platform == 'linux'" if OF_LINUX_ALONE.match(name) else "")


@needs_linux
@pytest.mark.parametrize("name", NAMES)
def test_an_environment_pins_every_package_below_those_it_names(name: str) -> None:
    roots = {canonicalize_name(Requirement(text).name) for text in chosen(name)}
    assert needed(name) == [pinned(package) for package in sorted(closure(chosen(name)) - roots)]


@needs_linux
def test_readers_of_data_sets_are_pinned_with_every_package_below_them() -> None:
    text = (ENVS / "readers.txt").read_text(encoding="utf-8")
    pins = {
        canonicalize_name(name): version for name, version in re.findall(r"^([^#=\s]+)==(\S+)$", text, re.MULTILINE)
    }
    pytest.importorskip("mlcroissant", reason="the packages of envs/readers.txt are not installed")
    assert {name: metadata.version(name) for name in pins} == pins
    below = {name for reader in pins for need in metadata.requires(reader) or [] for name in _needed(need)}
    assert below - set(pins) - set(constraints()) == {"pandas-stubs"}
    assert not set(pins) & set(constraints())


def _needed(need: str) -> list[str]:
    """The package that a reader's requirement names on Linux, with what its extras need."""
    requirement = Requirement(need)
    if not _applies(requirement, set()):
        return []
    name = canonicalize_name(requirement.name)
    extras = [Requirement(text) for text in (metadata.requires(name) or [] if requirement.extras else [])]
    return [name, *(canonicalize_name(each.name) for each in extras if _applies(each, requirement.extras))]


@pytest.mark.parametrize("name", NAMES)
def test_what_an_environment_names_has_the_version_of_the_main_set_up(name: str) -> None:
    assert chosen(name)
    assert chosen(name) == [pinned(canonicalize_name(Requirement(text).name)) for text in chosen(name)]


@pytest.mark.parametrize("name", NAMES)
def test_conda_itself_brings_python_and_pip_alone(name: str) -> None:
    environment = yaml.safe_load((ENVS / f"{name}.yaml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    assert environment["dependencies"][:2] == [f"python={PYTHON['python_version']}", "pip=24.0"]
    assert [list(part) for part in environment["dependencies"][2:]] == [["pip"]]


def test_the_table_of_environments_names_each_with_its_rules() -> None:
    told = dict(
        re.findall(r"^\| `(\w+)\.yaml` \| (.+?) \|", (ENVS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    used: dict[str, set[str]] = {name: set() for name in NAMES}
    for path in (ENVS.parent / "rules").glob("*.smk"):
        for rule in re.split(r"^ *rule\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            head = re.match(r" ?(\w+):|:\s+name:\s+f\"(\w+)_\{", rule)
            common = ["codecs"] if "environments.of_codec" in rule else []  # for codecs without one of their own
            for name in re.findall(r'"\.\./envs/(\w+)\.yaml"', rule) + common:
                assert head is not None
                used[name].add(head[1] or f"{head[2]}_*")
    assert {name: set(re.findall(r"`([\w*]+)`", rules)) for name, rules in told.items()} == used


def docker(instruction: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile, in order."""
    return re.findall(rf"^{instruction} (.+)$", (ENVS.parent / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_image_has_the_python_of_the_environments_and_is_set_up_by_make_alone() -> None:
    assert docker("FROM") == [f"python:{PYTHON['python_version']}-bookworm"]
    assert docker("RUN") == ["make packages", "make setup"]


def test_what_the_image_holds_when_it_is_set_up_is_all_that_the_set_up_reads(tmp_path: Path) -> None:
    before = (ENVS.parent / "Dockerfile").read_text(encoding="utf-8").partition("RUN ")[0]
    for source, target in re.findall(r"^COPY (\S+) (\S+)$", before, re.MULTILINE):
        path = ENVS.parent / source
        copy = partial(shutil.copytree, path) if path.is_dir() else partial(shutil.copy, path)
        copy(tmp_path / target)
    done = subprocess.run(["make", "--dry-run", "packages"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for named in re.findall(r"envs/\S+\.txt", done.stdout):
        assert (tmp_path / named).is_file()


def test_the_image_leaves_out_what_git_leaves_out() -> None:
    ignored = (ENVS.parent / ".gitignore").read_text(encoding="utf-8").split()
    assert {*ignored, ".git/"} == set((ENVS.parent / ".dockerignore").read_text(encoding="utf-8").split())


def test_the_image_runs_a_target_of_the_workflow() -> None:
    (command,) = docker("CMD")
    assert f"rule {json.loads(command)[-1]}:" in (ENVS.parent / "Snakefile").read_text(encoding="utf-8")
