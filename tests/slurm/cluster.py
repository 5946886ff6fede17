"""A cluster on this machine, runs of the workflow on it by `profiles/slurm`, and what SLURM says of their jobs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from places import ROOT, TINY

HERE = Path(__file__).parent
SECONDS_AT_MOST = 3600.0


@dataclass(frozen=True)
class Job:
    """A job as SLURM saw it."""

    number: str  # of a job of an array: {array}_{place}
    state: str
    comment: str  # rule_{rule}_wildcards_{wildcards}
    memory: str
    time_limit: str


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """A cluster of four cores and two GPUs that are none, which is stopped in the end whatever happens."""
    subprocess.run([HERE / "up.sh", folder], check=True)
    try:
        yield
    finally:
        subprocess.run([HERE / "down.sh", folder], check=True)


def write_profile(folder: Path, changes: Mapping[str, Mapping[str, Any]]) -> Path:
    """`profiles/slurm` as users have it, with other resources for some rules and without the patience of a cluster."""
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    for rule, resources in changes.items():
        profile["set-resources"][rule] = {**profile["set-resources"].get(rule, {}), **resources}
    profile |= {"jobs": 8, "latency-wait": 5, "slurm-init-seconds-before-status-checks": 1}
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")
    return folder


class Run:
    """A run of the tiny experiment: its directory, its process and what it printed."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self._output = directory.with_suffix(".txt")
        self._arguments = arguments

    def start(self, target: str, *options: str, device: str = "cpu") -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        config = ["--config", f"experiment={TINY}", f"device={device}", "--", target]
        command = [
            sys.executable,
            "-m",
            "snakemake",
            *self._arguments,
            "--directory",
            self.directory,
            *options,
            *config,
        ]
        with self._output.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=output, stderr=subprocess.STDOUT
            )

    def finish(self, target: str, *options: str, device: str = "cpu") -> int:
        """Run to the end; the exit status."""
        self.start(target, *options, device=device)
        return self.process.wait(SECONDS_AT_MOST)

    def kill(self) -> None:
        """Kill Snakemake alone, as the kernel does when memory ends, or an administrator on a login node."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    @property
    def identity(self) -> str:
        """The name that all jobs of this run have in SLURM."""
        return re.findall(r"SLURM run ID: (\S+)", self.output)[0]

    def jobs(self, rule: str = "") -> list[Job]:
        """All jobs of this run, or those of a rule, in the order of their submission."""
        return sorted(jobs(f"rule_{rule}", "--name", self.identity), key=lambda job: int(job.number.partition("_")[0]))

    def log_of(self, job: Job) -> str:
        """What SLURM kept of a job that did not complete."""
        (path,) = (self.directory / "logs/slurm").rglob(f"{job.number}.log")
        return path.read_text(encoding="utf-8")


def jobs(comment: str, *selection: str) -> list[Job]:
    """Jobs whose comment begins so, ended ones too."""
    squeue = ["squeue", "--noheader", "--states=all", "--format=%i|%T|%k|%m|%l", *selection]
    lines = subprocess.run(squeue, check=True, capture_output=True, text=True).stdout.splitlines()
    return [job for job in (Job(*line.split("|")) for line in lines) if job.comment.startswith(comment)]


def wait_for(condition: Callable[[], Any], run: Run) -> Any:
    """What `found` gives as soon as it gives anything, while the run goes on."""
    until = time.monotonic() + SECONDS_AT_MOST
    while time.monotonic() < until and run.process.poll() is None:
        if result := condition():
            return result
        time.sleep(0.5)
    raise AssertionError(f"the run ended too early, or went on too long:\n{run.output}")


def process_of(job: Job, command: str) -> int | None:
    """The process of a job that runs this command of ours, if it has come so far."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        mine = f"SLURM_JOB_ID={job.number}".encode() in environment
        if mine and words[1:2] == [b"-m"] and b" ".join(words[2:4]) == command.encode():
            return int(folder.name)
    return None
