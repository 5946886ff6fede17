"""What the package declares, against the versions that are tested and the imports that are there."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from places import ROOT

from codecfake import __version__

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
CORE = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DECLARED = {
    "": CORE,
    **{name: [Requirement(text) for text in lines] for name, lines in EXTRAS.items() if name != "all"},
}
PIN = re.compile(r"^(?: +- )?([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
EXTRAS_OF = {
    "data": ("report", "workflow"),
    "codecs": ("codecs", "generators"),
    "detectors": ("detectors",),
    "quality": ("quality",),
}
FOR_DEVELOPERS = {"pytest", "pytest-xdist", "nbformat", "hypothesis", "ruff", "mypy", "snakefmt", "hatchling"}


def pins(name: str) -> dict[str, str]:
    """Distribution -> version of a file in envs/; of a conda environment, those that it chooses itself."""
    text = (ROOT / "envs" / name).read_text(encoding="utf-8").partition("# what these need")[0]
    return {canonicalize_name(package): version for package, version in PIN.findall(text)}


TESTED = pins("constraints.txt") | pins("no-deps.txt") | pins("generators.txt") | pins("storage.txt") | pins("aac.txt")
RANGES = [(extra, requirement) for extra, listed in DECLARED.items() for requirement in listed]


@pytest.mark.parametrize(("extra", "requirement"), RANGES, ids=str)
def test_a_declared_range_starts_at_the_tested_release_and_ends_before_the_next_major(
    extra: str, requirement: Requirement
) -> None:
    tested = Version(TESTED[canonicalize_name(requirement.name)])
    bounds = {one.operator: Version(one.version) for one in requirement.specifier}
    assert set(bounds) == {">=", "<"}
    assert tested in requirement.specifier
    assert bounds[">="].release[:2] == tested.release[:2]
    # torch and torchaudio work in matched pairs alone, of one minor release
    pair = requirement.name in ("torch", "torchaudio")
    assert bounds["<"] == Version(f"{tested.major}.{tested.minor + 1}" if pair else str(tested.major + 1))


@pytest.mark.parametrize("environment", EXTRAS_OF)
def test_the_extras_hold_what_the_conda_environments_hold(environment: str) -> None:
    extras = ("", *EXTRAS_OF[environment])
    declared = {canonicalize_name(one.name) for extra in extras for one in DECLARED[extra]}
    assert set(pins(f"{environment}.yaml")) <= declared


def test_the_main_environment_and_the_extras_hold_the_same() -> None:
    declared = {canonicalize_name(one.name) for listed in DECLARED.values() for one in listed}
    chosen = set(pins("requirements.txt")) | set(pins("torch.txt")) | set(pins("optional.txt"))
    chosen |= set(pins("generators.txt")) - {"proces"}  # which comes with cn2an
    chosen |= {name for name in pins("storage.txt") if name.startswith("snakemake-")}  # and not what these need
    chosen |= set(pins("aac.txt"))  # which is installed on request alone
    below = {"numpy"}  # pinned in constraints.txt alone
    assert declared - below == {name for name in chosen - FOR_DEVELOPERS if not name.startswith("types-")}


def test_all_is_every_extra_but_those_of_generators_storages_aac_a_compiler_and_the_site() -> None:
    (everything,) = [Requirement(text) for text in EXTRAS["all"]]
    assert everything.extras == set(EXTRAS) - {"all", "docs", "pesq", "generators", "storage", "aac"}


def test_no_package_of_a_codec_is_declared() -> None:
    declared = {canonicalize_name(one.name) for listed in DECLARED.values() for one in listed}
    assert declared.isdisjoint(pins("no-deps.txt"))


def third_party_imports() -> set[str]:
    names: set[str] = set()
    for path in [*ROOT.glob("codecfake/**/*.py"), *ROOT.glob("codec_wrappers/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"codecfake", "codec_wrappers"}


def test_everything_that_is_imported_is_declared_or_comes_with_what_is() -> None:
    declared = {canonicalize_name(one.name) for listed in DECLARED.values() for one in listed}
    known = declared | set(pins("no-deps.txt"))
    below = {
        "PIL": "matplotlib", "huggingface_hub": "transformers", "markupsafe": "jinja2", "packaging": "matplotlib",
    }  # fmt: skip
    owners = metadata.packages_distributions()
    for name in sorted(third_party_imports()):
        if name == "pesq" and name not in owners:  # where there was no compiler
            continue
        distributions = {canonicalize_name(owner) for owner in owners.get(name, [name])}
        assert distributions & known or below.get(name) in known, name


def test_the_version_is_read_from_the_package() -> None:
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "codecfake/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
