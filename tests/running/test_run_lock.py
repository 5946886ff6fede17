"""One run at a time in a directory: who is refused, who waits, and what a killed run leaves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import ROOT

from codecfake.running import run_lock
from codecfake.running.run_lock import RunLockError, claim, shared_by_jobs

NOW = "2026-01-01 12:00:00"
HOLDER = """
import sys, time
from pathlib import Path
from codecfake.running.run_lock import claim
lock = claim(Path(sys.argv[1]), "2026-01-01 11:00:00", print)
(Path(sys.argv[1]) / "locks").mkdir(exist_ok=True)
(Path(sys.argv[1]) / "locks/0.input.lock").touch()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".snakemake"


@pytest.fixture
def begun() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that print a line when they are ready; all are killed in the end."""
    running = []

    def begin(*command: str) -> subprocess.Popen[str]:
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        running[-1].stdout.readline()
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def held_by(folder: Path, begun: Callable[..., subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """A process that holds a run directory, with a lock of Snakemake's in it."""
    return begun(sys.executable, "-c", HOLDER, str(folder))


def test_a_second_run_in_a_directory_is_refused_and_told_of_the_first(
    folder: Path, begun: Callable[..., subprocess.Popen[str]]
) -> None:
    first = held_by(folder, begun)
    with pytest.raises(RunLockError, match=rf"another run is at work here \(process {first.pid} on .* 11:00:00\)"):
        claim(folder, NOW, print)
    assert (folder / "locks/0.input.lock").exists()


def test_the_lock_of_a_killed_run_is_removed_and_said_to_be(
    folder: Path, begun: Callable[..., subprocess.Popen[str]]
) -> None:
    first = held_by(folder, begun)
    first.send_signal(signal.SIGKILL)
    first.wait()
    messages: list[str] = []
    with claim(folder, NOW, messages.append) as lock:
        assert not (folder / "locks").exists()
        assert "the last run here was killed" in messages[0] and f"process {first.pid}" in messages[0]
        assert json.loads(Path(lock.name).read_text())["pid"] == os.getpid()


def test_a_run_that_ended_by_itself_leaves_nothing_to_tell(folder: Path) -> None:
    messages: list[str] = []
    for _ in range(2):
        claim(folder, NOW, messages.append).close()
    assert messages == []


@pytest.mark.parametrize("record", ["", "{", '{"pid": 1, "host": "another", "boot": "another", "started": "then"}'])
def test_a_lock_of_a_run_that_cannot_be_seen_from_here_stays(folder: Path, record: str) -> None:
    (folder / "locks").mkdir(parents=True)
    (folder / "locks/0.input.lock").touch()
    (folder / run_lock.RUN).write_text(record)
    for _ in range(2):
        with pytest.raises(RunLockError, match="locked by .*cannot be seen from this machine; .*snakemake --unlock"):
            claim(folder, NOW, print)
    assert (folder / "locks/0.input.lock").exists()


def test_jobs_that_outlive_their_run_are_waited_for(folder: Path, begun: Callable[..., subprocess.Popen[str]]) -> None:
    folder.mkdir()
    job = begun("bash", "-c", f"set -euo pipefail; {shared_by_jobs(folder)} {sys.executable} -c 'print(1)'; sleep 600")
    messages: list[str] = []

    def end_it(message: str) -> None:
        messages.append(message)
        subprocess.run(["pkill", "-P", str(job.pid)], check=False)
        job.kill()

    claim(folder, NOW, end_it).close()
    assert len(messages) == 1 and "jobs of a killed run are still at work here" in messages[0]
    assert str(job.pid) in messages[0].split("kill ")[-1].split()


def test_jobs_share_their_lock_with_each_other(folder: Path, begun: Callable[..., subprocess.Popen[str]]) -> None:
    folder.mkdir()
    for _ in range(2):
        begun("bash", "-c", f"set -euo pipefail; {shared_by_jobs(folder)} echo ready; sleep 600")
    assert len(run_lock._users(folder / run_lock.JOBS)) >= 2


def test_without_a_file_to_lock_a_job_runs_all_the_same(tmp_path: Path) -> None:
    command = f"set -euo pipefail; {shared_by_jobs(tmp_path / 'none')} echo done"
    assert subprocess.run(["bash", "-c", command], capture_output=True, text=True).stdout == "done\n"
