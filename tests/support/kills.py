"""Runs of the workflow that a signal ends again and again, at moments drawn from a seed.

As a program, the same for any experiment: python tests/support/kills.py EXPERIMENT --kills 20 --folder FOLDER
"""

import argparse
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import whole_runs
from places import ROOT

MOST_JOBS, MOST_SECONDS = 3, 4.0  # between two kills
SECONDS_TO_TIDY_UP = 60
MADE = (
    "corpora/*/*", "codecs/*/*", "weights/*/*", "audio/**/*", "protocols/**/*", "models/**/*.safetensors",
    "models/**/*.tsv", "models/**/*.json", "scores/**/*", "quality/*", "tables/*.csv", "audit/*",
)  # fmt: skip


def start(directory: Path, experiment: Path | str, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake as a user starts it, in a process group of its own, that its jobs are in too."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(directory)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [*command, "--config", f"experiment={experiment}", "device=cpu", "--", *(arguments or ("all",))],
        cwd=ROOT, env={**os.environ, "PATH": path}, start_new_session=True, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # which background jobs ignore
    )  # fmt: skip


def kill(run: subprocess.Popen[str], sent: signal.Signals = signal.SIGKILL) -> str:
    """Send a signal to a run and all its jobs, and kill what is not at its end soon after; what the run has said.

    SIGKILL leaves no time to tidy up. SIGINT is what Ctrl-C sends, and SIGTERM what schedulers send.
    """
    os.killpg(run.pid, sent)
    try:
        return run.communicate(timeout=SECONDS_TO_TIDY_UP)[0]
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        return run.communicate()[0]


def finish_despite_kills(
    directory: Path,
    experiment: Path | str,
    rng: np.random.Generator,
    most_jobs: int = MOST_JOBS,
    sent: tuple[signal.Signals, ...] = (signal.SIGKILL,),
) -> list[str]:
    """Start a run again and again, and kill it at some moment each time, until it comes to its end.

    The signals in `sent` take turns. A moment is up to MOST_SECONDS after the start or after one of the next
    `most_jobs` jobs that are finished: so they are spread over the whole of a run, however fast the machine is. Gives
    them in words.
    Raises AssertionError if a run fails by itself.
    """
    moments = []
    while True:
        jobs, seconds = int(rng.integers(0, most_jobs + 1)), float(rng.uniform(0, MOST_SECONDS))
        run = start(directory, experiment)
        output = _until_finished(run, jobs)
        try:
            run.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            number = sent[len(moments) % len(sent)]
            kill(run, number)
            moments.append(f"{number.name} {seconds:.1f} s after {jobs} jobs")
            continue
        assert run.returncode == 0, output + run.communicate()[0]
        return moments


def _until_finished(run: subprocess.Popen[str], jobs: int) -> str:
    """Wait until so many jobs are finished, or all; what was said until then."""
    assert run.stdout is not None
    lines = []
    while jobs and (line := run.stdout.readline()):
        lines.append(line)
        jobs -= line.startswith("Finished jobid")
    return "".join(lines)


def digests(directory: Path) -> dict[str, str]:
    """sha256 of every result that is the same in every run; pictures, logs and curves are not."""
    return whole_runs.digests(directory, *MADE)


def run_undisturbed(directory: Path, experiment: Path | str) -> Path:
    run = start(directory, experiment)
    output, _ = run.communicate()
    assert run.returncode == 0, output
    return directory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--undisturbed", type=Path, help="a finished run's directory; by default one is made first")
    parser.add_argument("--most-jobs", type=int, default=MOST_JOBS, help="jobs that may finish between two kills")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    expected = digests(options.undisturbed or run_undisturbed(options.folder / "undisturbed", options.experiment))
    kills = 0
    while kills < options.kills:
        directory = options.folder / f"from kill {kills + 1}"
        for moment in finish_despite_kills(directory, options.experiment, rng, options.most_jobs):
            kills += 1
            print(f"kill {kills}: {moment}", flush=True)
        assert digests(directory) == expected
    print(f"{kills} kills, and the same {len(expected)} files as of an undisturbed run")


if __name__ == "__main__":
    main()
