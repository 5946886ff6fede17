"""The README's cluster section, done: a run through a real SLURM, and everything that ends a job early.

Needs root, and Debian's munge, slurmctld, slurmd and slurm-client: `make test-slurm`. No GPU: two are pretended.
"""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Run, cluster, process_of, wait_for, write_profile
from whole_runs import MADE, digests

GPU_RULES = ("train_codec", "resynthesize_encodec", "train_detector", "score")
FIRST_TIME_TOO_LITTLE = {
    "train_detector": {"mem_mb": "300 if attempt == 1 else 8000"},
    "train_codec": {"runtime": "1 if attempt == 1 else 60"},
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a cluster that runs."""
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder):
        yield folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same experiment, run on this machine without a cluster."""
    run = Run(tmp_path_factory.mktemp("local") / "run", "--cores", "2")
    assert run.finish("all") == 0, run.output
    return run.directory


@pytest.fixture(scope="module")
def run(slurm: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run: a job is cancelled, others outrun their time or their memory; those with networks hold GPUs."""
    folder = tmp_path_factory.mktemp("run")
    changes = {rule: {"gpu": 1, **FIRST_TIME_TOO_LITTLE.get(rule, {})} for rule in GPU_RULES}
    run = Run(folder / "run", "--workflow-profile", str(write_profile(folder / "profile", changes)))
    run.start("all")
    hang_first(run, "train_codec", "codec_wrappers train")
    cancel_first(run, "resynthesize_encodec")
    run.process.wait(3600)
    return run


def hang_first(run: Run, rule: str, command: str) -> None:
    """Stop the process of the first job of a rule, so that it does nothing until its time is up."""
    job = wait_for(lambda: "SLURM run ID" in run.output and run.jobs(rule), run)[0]
    os.kill(wait_for(lambda: process_of(job, command), run), signal.SIGSTOP)


def cancel_first(run: Run, rule: str) -> None:
    job = wait_for(lambda: [job for job in run.jobs(rule) if job.state == "RUNNING"], run)[0]
    subprocess.run(["scancel", job.number], check=True)


def test_a_run_goes_through_though_jobs_were_ended_early(run: Run, undisturbed: Path) -> None:
    assert run.process.returncode == 0, run.output
    assert digests(run.directory, *MADE) == digests(undisturbed, *MADE)


def test_a_cancelled_job_comes_back(run: Run) -> None:
    states = Counter(job.state for job in run.jobs("resynthesize_encodec"))
    assert states == {"CANCELLED": 1, "COMPLETED": 3}


def test_a_job_that_outran_its_time_comes_back_with_more(run: Run) -> None:
    hung, second = run.jobs("train_codec")
    assert (hung.state, hung.time_limit) == ("TIMEOUT", "1:00")
    assert (second.state, second.time_limit) == ("COMPLETED", "1:00:00")


def test_a_job_that_outran_its_memory_comes_back_with_more(run: Run) -> None:
    tried = run.jobs("train_detector")
    killed = [job for job in tried if job.state != "COMPLETED"]
    assert [job.memory for job in killed] == ["300M", "300M"]
    assert all("exceeded memory limit" in run.log_of(job) for job in killed)
    assert [job.memory for job in tried if job.state == "COMPLETED"] == ["8000M", "8000M"]


def test_no_other_job_ran_twice(run: Run) -> None:
    disturbed = ("rule_resynthesize_encodec", "rule_train_codec", "rule_train_detector")
    others = [job for job in run.jobs() if not job.comment.startswith(disturbed)]
    assert {job.state for job in others} == {"COMPLETED"}
    assert max(Counter(job.comment for job in others).values()) == 1


def test_short_jobs_are_not_queued(run: Run) -> None:
    queued = {job.comment.removeprefix("rule_").partition("_wildcards_")[0] for job in run.jobs()}
    assert {"record", "score", "report"} <= queued
    assert not queued & {"all", "write_partition", "write_condition", "write_sources", "quality_summary"}


def test_jobs_that_declare_a_gpu_see_one_and_others_none(run: Run, slurm: Path) -> None:
    lines = (slurm / "log/gpus.txt").read_text(encoding="utf-8").splitlines()
    gpu_of_job = dict(line.split() for line in lines)
    with_gpu = {job.number for rule in GPU_RULES for job in run.jobs(rule)}
    assert {gpu_of_job[number] for number in with_gpu} == {"0", "1"}
    assert {gpu_of_job[job.number] for job in run.jobs() if job.number not in with_gpu} == {"none"}


@pytest.fixture(scope="module")
def resumed(slurm: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose Snakemake was killed while its jobs ran, and which was continued as the README says, in arrays."""
    folder = tmp_path_factory.mktemp("killed")
    run = Run(folder / "run", "--workflow-profile", str(write_profile(folder / "profile", {})))
    run.start("dataset")
    wait_for(lambda: "SLURM run ID" in run.output and running(run, "resynthesize_encodec"), run)
    run.kill()
    assert running(run, "resynthesize_encodec")  # jobs outlive it
    subprocess.run(["scancel", "--name", run.identity], check=True)
    while any(job.state in ("RUNNING", "COMPLETING", "PENDING") for job in run.jobs()):
        time.sleep(0.5)
    assert run.finish("dataset", "--slurm-array-jobs", "all") == 0, run.output
    return run


def running(run: Run, rule: str) -> bool:
    return any(job.state == "RUNNING" for job in run.jobs(rule))


def test_a_run_whose_snakemake_was_killed_ends_in_the_same_bytes(resumed: Run, undisturbed: Path) -> None:
    audio = ("audio/**/*.tar", "audio/**/*.parquet")
    assert len(digests(resumed.directory, *audio)) > 10
    assert digests(resumed.directory, *audio) == digests(undisturbed, *audio)


def test_what_was_finished_is_not_done_again(resumed: Run) -> None:
    assert not resumed.jobs("ingest_corpus")
    assert resumed.jobs("resynthesize_encodec")


def test_jobs_of_one_rule_can_be_submitted_as_an_array(resumed: Run) -> None:
    assert {job.state for job in resumed.jobs()} == {"COMPLETED"}
    assert any("_" in job.number for job in resumed.jobs("resynthesize_encodec"))


def test_a_job_without_the_gpu_it_needs_stops_and_says_what_to_do(resumed: Run) -> None:
    once_more = ("--forcerun", "train_codec", "--retries", "0")
    small_node = ("--set-threads", "train_codec=2")  # a job with a GPU asks for eight, and this node has four
    target = "results/codecs/encodec/weights.safetensors"
    assert resumed.finish(target, *once_more, *small_node, device="cuda") == 1
    assert "there is no CUDA device to run on: torch sees none (CUDA_VISIBLE_DEVICES=" in resumed.output
    assert "set `device: cpu` to run on the CPU" in resumed.output
