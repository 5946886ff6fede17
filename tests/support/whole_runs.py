"""Whole runs of the workflow in a directory of their own, and what they made."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from places import ROOT

ON_CPU = ("device=cpu",)
MADE = (
    "corpora/*/*.parquet", "codecs/*/*", "audio/**/*.tar", "audio/**/*.parquet", "protocols/**/*.tsv",
    "models/**/*.safetensors", "scores/**/*.tsv", "quality/*.tsv", "tables/*.csv",
    "audit/*",
)  # fmt: skip


def snakemake(
    directory: Path, experiment: Path, *targets: str, options: Sequence[str] = (), config: Sequence[str] = ON_CPU
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake as a user does, in a run directory of its own."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--directory", str(directory), *options]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*command, "--config", f"experiment={experiment}", *config, "--", *targets],
        cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip


def rerun(
    directory: Path, experiment: Path, *targets: str, options: Sequence[str] = (), config: Sequence[str] = ON_CPU
) -> dict[str, int]:
    """Rule -> number of jobs that a run of `all`, or of these targets, would start now."""
    options = ["--dry-run", *options]
    done = snakemake(directory, experiment, *(targets or ("all",)), options=options, config=config)
    assert done.returncode == 0, done.stdout + done.stderr
    return jobs_by_rule(done.stdout + done.stderr)


def jobs_by_rule(output: str) -> dict[str, int]:
    jobs = re.findall(r"^(\w[\w-]*) +(\d+)$", output, re.MULTILINE)
    return {rule: int(count) for rule, count in jobs if rule not in ("all", "total")}


def digests(directory: Path, *patterns: str) -> dict[str, str]:
    found = sorted(path for pattern in patterns for path in (directory / "results").glob(pattern))
    kept = [path for path in found if path.is_file()]
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}
