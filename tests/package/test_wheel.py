"""The wheel, installed in an environment of its own, outside the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from places import EXPERIMENTS, ROOT
from whole_runs import MADE, digests, jobs_by_rule

pytestmark = pytest.mark.long  # building and installing it takes seconds
FOLDERS = ("rules", "envs", "profiles", "experiments", "protocols/published")
FILES = ("Snakefile", "config.yaml")


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it; other packages come from the environment of the tests."""

    wheel: Path
    python: Path
    site_packages: Path
    folder: Path  # empty; where commands are run

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`codecfake` as a user runs it who has not activated the environment."""
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        variables["PATH"] = os.defpath
        command = [str(self.python.with_name("codecfake")), *arguments]
        return subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True, timeout=900)

    def output(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    pytest.importorskip("hatchling", reason="builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = folder.glob("codecfake-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site_packages / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "elsewhere").mkdir()
    return Installed(wheel, python, site_packages, folder / "elsewhere")


def test_the_wheel_holds_every_file_of_the_workflow_as_it_is_in_the_checkout(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        held = {name: wheel.read(name) for name in wheel.namelist()}
    paths = [ROOT / name for name in FILES]
    paths += [path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()]
    assert len(paths) > 40
    for path in paths:
        assert held[f"codecfake/workflow/{path.relative_to(ROOT)}"] == path.read_bytes(), path


def test_the_wheel_holds_every_file_of_the_packages(installed: Installed) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "codecfake", "codec_wrappers"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode:
        pytest.skip("needs git to tell what belongs to the packages")
    with zipfile.ZipFile(installed.wheel) as wheel:
        missing = {name for name in tracked.stdout.split() if (ROOT / name).is_file()} - set(wheel.namelist())
    assert missing == set()


def test_version_and_lists_come_from_the_wheel(installed: Installed) -> None:
    assert installed.output("--version").startswith("codecfake ")
    rows = json.loads(installed.output("list", "experiments", "--json"))
    assert {row["name"] for row in rows} == {path.stem for path in EXPERIMENTS.glob("*.yaml")}
    assert all(Path(row["file"]).is_relative_to(installed.site_packages) for row in rows)


def test_a_plan_needs_no_checkout(installed: Installed) -> None:
    plan = json.loads(installed.output("plan", "--experiment", "demo", "--json"))
    assert plan["jobs"] > 50


def test_the_demo_is_planned_by_snakemake_from_any_folder(installed: Installed) -> None:
    done = installed.run("demo", "--run", "run", "--", "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = jobs_by_rule(done.stdout + done.stderr)
    assert jobs["synthesize_demo"] == 1
    assert jobs["train_detector"] >= 1


def test_config_and_experiments_of_the_current_folder_are_read(installed: Installed) -> None:
    (installed.folder / "experiments").mkdir(exist_ok=True)
    text = yaml.safe_dump({"based_on": "tiny", "title": "Mine"})
    (installed.folder / "experiments" / "tiny.yaml").write_text((EXPERIMENTS / "tiny.yaml").read_text())
    (installed.folder / "experiments" / "mine.yaml").write_text(text)
    (installed.folder / "config.yaml").write_text("experiment: mine\n")
    try:
        done = installed.run("run", "--run", "mine", "--", "protocols", "--dry-run", "--quiet", "rules")
    finally:
        (installed.folder / "config.yaml").unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    assert jobs_by_rule(done.stdout + done.stderr)["ingest_corpus"] == 3


def test_jobs_in_other_environments_import_the_two_packages_and_nothing_beside_them(installed: Installed) -> None:
    links = installed.folder / "links"
    code = (
        "from pathlib import Path; from codecfake.base import installation; "
        f"print(installation.import_folder(Path({str(links)!r})))"
    )
    for _ in range(2):  # a second process finds the links
        folder = subprocess.run(
            [str(installed.python), "-c", code],
            cwd=installed.folder,
            capture_output=True,
            text=True,
            check=True,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        ).stdout.strip()
    assert sorted(path.name for path in Path(folder).iterdir()) == ["codec_wrappers", "codecfake"]
    asked = (
        "from importlib.util import find_spec; from codecfake.base import installation; "
        "print(find_spec('codec_wrappers') is None, find_spec('pandas') is None, installation.snakefile().is_file())"
    )
    bare = subprocess.run(
        [sys.executable, "-S", "-c", asked], cwd=installed.folder, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": folder},
    )  # fmt: skip
    assert bare.stdout.split() == ["False", "True", "True"]


@pytest.mark.slow
def test_the_plan_of_the_first_paper_is_a_graph_of_jobs(installed: Installed) -> None:
    names = ("vctk", "aishell3", "libritts", "19la")
    for name in names:
        (installed.folder / name).mkdir()
    roots = ", ".join(f"{name}: {name}" for name in names)
    done = installed.run(
        "run", "xie2025", "--run", "xie", "--config", f"corpora={{{roots}}}", "--", "--dry-run", "--quiet", "all"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_run_from_the_wheel_makes_the_same_files_as_one_from_the_checkout(installed: Installed, tiny: Path) -> None:
    done = installed.run("run", "tiny", "--run", "tiny", "--cores", "2", "--config", "device=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(installed.folder / "tiny", *MADE) == digests(tiny, *MADE)
