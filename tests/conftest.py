"""Data for tests: made here, or read from reference material where that is present."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import job_server
import numpy as np
import pytest
import whole_runs
from file_server import FileServer, running
from golden_vectors import DETECTORS_FOLDER
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from places import SHARED, TINY

pytest_plugins = ["processor_time"]

# how fast a machine draws and checks examples says nothing about them
hypothesis_settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# the same few examples in every run; `make test-slow` searches for others
hypothesis_settings.register_profile(
    "repeatable", hypothesis_settings.get_profile("search"), derandomize=True, max_examples=40
)
hypothesis_settings.load_profile("repeatable")


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs jobs of the workflow, or needs a finished run, is long: the server of jobs alone takes seconds."""
    for item in items:
        if "quick_jobs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real recordings and golden vectors kept beside the checkout; tests that need them skip where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the reference material in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def golden() -> Path:
    """Inputs and outputs of the official codec and detector code, with the recipe for its weights."""
    folder = Path(os.environ.get("CODECFAKE_GOLDEN", SHARED / "golden"))
    if not folder.is_dir():
        pytest.skip(f"needs golden vectors in {folder} (set CODECFAKE_GOLDEN)")
    return folder


@pytest.fixture(scope="session")
def golden_detectors() -> Path:
    """The same for the detectors, losses and RawBoost that papers of today compare with."""
    if not DETECTORS_FOLDER.is_dir():
        pytest.skip(f"needs golden vectors in {DETECTORS_FOLDER} (set CODECFAKE_GOLDEN_DETECTORS)")
    return DETECTORS_FOLDER


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder of this session that all workers of xdist share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def quick_jobs(of_all_workers: Path) -> Iterator[None]:
    """Jobs of the runs of `whole_runs.snakemake` are forks of one process."""
    with job_server.running(of_all_workers / "jobs.txt") as folder, whole_runs.python_in(folder):
        yield


@pytest.fixture(scope="session")
def tiny(of_all_workers: Path, quick_jobs: None) -> Path:
    """A run directory in which the tiny experiment went through; tests leave it as it was. All workers share it."""
    directory, finished = of_all_workers / "tiny", of_all_workers / "tiny.finished"
    with (of_all_workers / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first to come makes it; the others wait
        if not finished.exists():
            process = whole_runs.snakemake(directory, TINY, "all")
            assert process.returncode == 0, process.stdout + process.stderr
            finished.touch()
    return directory


@pytest.fixture
def tiny_copy(tiny: Path, tmp_path: Path) -> Path:
    """A run directory for an experiment that is based on `tiny`: what both have in common is made already."""
    directory = tmp_path / "run"
    for name in ("results", "logs", ".snakemake/metadata"):
        shutil.copytree(tiny / name, directory / name)
    for path in (directory / "results").glob("experiment.txt*"):  # a directory holds one experiment
        path.unlink()
    return directory


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a server on this machine goes to it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server of files that misbehaves as it is told to."""
    with running() as found:
        yield found
