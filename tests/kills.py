"""Runs of the workflow that are killed again and again, at moments drawn from a seed.

As a program, the same for any experiment: python tests/kills.py EXPERIMENT --kills 20 --folder FOLDER
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
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
    )  # fmt: skip


def kill(run: subprocess.Popen[str]) -> str:
    """Kill a run and all its jobs, with no time to tidy up; what it has said."""
    os.killpg(run.pid, signal.SIGKILL)
    return run.communicate()[0]


def finish_despite_kills(
    directory: Path, experiment: Path | str, rng: np.random.Generator, longest: float
) -> list[float]:
    """Start a run again and again, and kill it after up to `longest` seconds each time, until it comes to its end.

    Gives the seconds after which each was killed. Raises AssertionError if one fails by itself.
    """
    moments = []
    while True:
        seconds = float(rng.uniform(0, longest))
        run = start(directory, experiment)
        try:
            said, _ = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            kill(run)
            moments.append(seconds)
            continue
        assert run.returncode == 0, said
        return moments


def digests(directory: Path) -> dict[str, str]:
    """sha256 of every result that is the same in every run; pictures, logs and curves are not."""
    found = sorted({path for pattern in MADE for path in (directory / "results").glob(pattern) if path.is_file()})
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    began = time.monotonic()
    undisturbed = start(options.folder / "undisturbed", options.experiment)
    said, _ = undisturbed.communicate()
    assert undisturbed.returncode == 0, said
    whole = time.monotonic() - began
    expected = digests(options.folder / "undisturbed")
    print(f"undisturbed: {whole:.0f} s, {len(expected)} files", flush=True)
    kills = 0
    while kills < options.kills:
        directory = options.folder / f"from kill {kills + 1}"
        moments = finish_despite_kills(directory, options.experiment, rng, whole / options.kills * 3)
        kills += len(moments)
        print(f"killed after {', '.join(f'{seconds:.1f}' for seconds in moments)} s", flush=True)
        assert digests(directory) == expected
    print(f"{kills} kills, and the same {len(expected)} files each time")


if __name__ == "__main__":
    main()
