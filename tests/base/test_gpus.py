"""GPUs: counted without a driver, one job each, given back by the kernel, and never left for the CPU in silence."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import whole_runs
from places import ROOT, TINY

from codecfake.base import devices, gpus

HOLDER = """
import logging, os, sys, time
from pathlib import Path
from codecfake.base import gpus
logging.basicConfig(format="%(message)s", level=logging.INFO)
gpus.SECONDS_BETWEEN_TRIES = 0.05
print(gpus.take(sys.argv[2:], Path(sys.argv[1])), flush=True)
if os.fork() == 0:  # a worker, as those that decode audio
    sys.stdout.close()
time.sleep(60)
"""


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that takes one of the named GPUs, says which, forks a worker and stays."""
    started: list[subprocess.Popen[str]] = []

    def start(*names: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(tmp_path / "slots"), *names]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes))
        return started[-1]

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def gpu_of(process: subprocess.Popen[str]) -> str:
    """The GPU that a job says it took; waits for it."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def output_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline().strip()


def test_each_job_gets_a_gpu_of_its_own(job: Callable[..., subprocess.Popen[str]]) -> None:
    jobs = [job("0", "1", "MIG-a/0/1") for _ in range(3)]
    assert sorted(gpu_of(process) for process in jobs) == ["0", "1", "MIG-a/0/1"]


def test_a_job_waits_and_says_who_has_the_gpus(job: Callable[..., subprocess.Popen[str]]) -> None:
    holder = job("0")
    assert gpu_of(holder) == "0"
    assert output_of(job("0")) == f"waiting for a GPU: 0 is taken by process {holder.pid}"


def test_a_killed_job_gives_its_gpu_back_at_once_though_its_worker_lives(
    job: Callable[..., subprocess.Popen[str]],
) -> None:
    holders = {gpu_of(holder): holder for holder in (job("0", "1"), job("0", "1"))}
    waiting = job("0", "1")
    assert output_of(waiting).startswith("waiting for a GPU")
    os.kill(holders["1"].pid, signal.SIGKILL)
    holders["1"].wait()
    os.killpg(holders["1"].pid, 0)  # the worker that it forked is alive
    assert gpu_of(waiting) == "1"


def test_a_gpu_is_held_until_the_process_ends(tmp_path: Path, job: Callable[..., subprocess.Popen[str]]) -> None:
    assert gpus.take(["0"], tmp_path / "slots") == "0"
    waiting = job("0")
    assert output_of(waiting).endswith(f"process {os.getpid()}")
    time.sleep(0.2)
    assert waiting.poll() is None


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("0,1", ["0", "1"]),
        (" 3 , GPU-8932f937", ["3", "GPU-8932f937"]),
        ("", []),
        ("-1", []),
        ("2,-1,3", ["2"]),
        ("NoDevFiles", []),
    ],
)
def test_cuda_visible_devices_is_respected(visible: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    assert gpus.visible({"CUDA_VISIBLE_DEVICES": visible}, tmp_path) == names


def test_without_it_gpus_are_counted_by_their_device_files(tmp_path: Path) -> None:
    assert gpus.visible({}, tmp_path) == []
    for name in ("nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert gpus.visible({}, tmp_path) == ["0", "1"]


def test_wsl_shows_one_gpu(tmp_path: Path) -> None:
    (tmp_path / "dxg").touch()
    assert gpus.visible({}, tmp_path) == ["0"]


def test_jobs_of_slurm_have_slots_of_their_own() -> None:
    assert len({gpus.slots({}), gpus.slots({"SLURM_JOB_ID": "7"}), gpus.slots({"SLURM_JOB_ID": "8"})}) == 3
    assert gpus.slots({"SLURM_JOB_ID": "../7"}).parent == gpus.slots({}).parent


@pytest.mark.parametrize("variable", ["TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"])
def test_jobs_of_a_login_shell_and_of_cron_meet_at_the_same_locks(variable: str, tmp_path: Path) -> None:
    """cron sets HOME, as a login does, but none of these variables."""
    home = {"HOME": str(tmp_path)}
    place = tmp_path / "private"
    place.mkdir(mode=0o700)
    assert gpus.slots({**home, variable: str(place)}) == gpus.slots(home)
    assert gpus.slots(home).parent == tmp_path / ".cache"


def test_a_folder_of_locks_that_others_can_enter_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots").chmod(0o777)
    with pytest.raises(gpus.GpuError, match=f"{tmp_path}/slots: .*others have access.*remove it, or set HOME"):
        gpus.take(["0"], tmp_path / "slots")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_locks_of_another_user_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "slots").mkdir(mode=0o700)
    os.chown(tmp_path / "slots", 4321, 4321)
    with pytest.raises(gpus.GpuError, match="slots: belongs to another user.*remove it"):
        gpus.take(["0"], tmp_path / "slots")


@pytest.mark.parametrize("link", ["slots", "slots/0.lock"])
def test_a_link_in_place_of_a_lock_is_not_followed_and_its_file_is_kept(link: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "0.lock").write_text("thesis")
    target = elsewhere if link == "slots" else elsewhere / "0.lock"
    if link != "slots":
        (tmp_path / "slots").mkdir(mode=0o700)
    (tmp_path / link).symlink_to(target)
    with pytest.raises(gpus.GpuError, match=f"{tmp_path / link}: cannot hold the locks of GPUs"):
        gpus.take(["0"], tmp_path / "slots")
    assert (elsewhere / "0.lock").read_text() == "thesis"


def test_a_lock_that_another_job_has_is_not_changed(tmp_path: Path, job: Callable[..., subprocess.Popen[str]]) -> None:
    holder = job("0")
    assert gpu_of(holder) == "0"
    output_of(job("0"))
    assert (tmp_path / "slots" / "0.lock").read_text() == str(holder.pid)


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(gpus.GpuError, match="file/slots: cannot hold .*set HOME to a folder of this user"):
        gpus.take(["0"], tmp_path / "file" / "slots")


@pytest.mark.parametrize(
    ("device", "on_cluster", "here", "number"),
    [
        ("cpu", False, 2, 0),
        ("cpu", True, 2, 0),
        ("cuda", False, 0, 1),
        ("auto", False, 2, 1),
        ("auto", False, 0, 0),
        ("auto", True, 0, 1),
    ],
)
def test_a_network_needs_a_gpu_where_the_site_says_so(device: str, on_cluster: bool, here: int, number: int) -> None:
    assert gpus.num_needed(device, on_cluster, here) == number


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that shows two GPUs, with slots for this test alone."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.usefixtures("two_gpus")
def test_a_job_sees_the_gpu_it_took_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.prepare_job("auto", 1, 1).type == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4"


@pytest.mark.usefixtures("two_gpus")
def test_a_job_may_take_several_gpus_and_no_more_than_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(gpus.GpuError, match=r"assigned 3 GPUs \(resources: gpu=3\), but this machine shows 2 \(4, 5\)"):
        devices.prepare_job("auto", 3, 1)
    device = devices.prepare_job("auto", 2, 1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5"
    assert [str(each) for each in devices.of_job(device, 2)] == ["cuda:0", "cuda:1"]
    assert devices.of_job(device, 1) == [device]


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_job_that_was_given_a_gpu_does_not_run_without_one(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(gpus.GpuError, match="no CUDA device to run on.*CUDA_VISIBLE_DEVICES=4.*set `device: cpu`"):
        devices.prepare_job(device, 1, 1)


@pytest.mark.usefixtures("two_gpus")
def test_auto_runs_on_the_cpu_where_no_gpu_was_given_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with caplog.at_level("INFO"):
        assert devices.prepare_job("auto", 0, 1).type == "cpu"
    assert "running on cpu: this job was assigned no GPU" in caplog.text


def test_cuda_without_a_given_gpu_is_an_error() -> None:
    with pytest.raises(gpus.GpuError, match="resources: gpu=0.*set `device: cpu`"):
        devices.prepare_job("cuda", 0, 1)


def test_a_gpu_left_idle_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    assert devices.prepare_job("cpu", 1, 1).type == "cpu"
    assert "but does not use it" in caplog.text


def snakemake(directory: Path, visible: str, *arguments: str) -> str:
    """Output of a run on a machine that shows these GPUs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", visible)
        process = whole_runs.in_a_copy(["--cores", "8", "--directory", str(directory), *arguments])
    return process.stdout + process.stderr


@pytest.mark.long
@pytest.mark.parametrize(("options", "at_once"), [(("--jobs", "8"), 2), (("--resources", "gpu=1"), 1)])
def test_no_more_gpu_jobs_run_at_once_than_there_are_gpus_or_the_user_says(
    options: tuple[str, ...], at_once: int, tmp_path: Path
) -> None:
    target = "results/protocols/sources.tsv"
    output = snakemake(tmp_path, "0,1", *options, "--config", f"experiment={TINY}", "--", target)
    assert f'Provided resources: gpu=Resource("gpu", {at_once})' in output


def test_a_run_that_will_need_a_gpu_is_refused_before_its_first_job(tmp_path: Path) -> None:
    output = snakemake(tmp_path, "", "--config", f"experiment={TINY}", "device=cuda", "--", "all")
    assert "device: cuda, but this machine shows no GPU; set `device: cpu` or `auto`" in output
    assert not (tmp_path / "results").exists()
