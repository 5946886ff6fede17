"""Whole runs of the workflow in a directory of their own, and what they made."""

import hashlib
import importlib
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

from places import ROOT

ON_CPU = ("device=cpu",)
TIMEOUT = 900  # seconds
FOLDERS: list[Path] = []  # of a `python` for the jobs of `snakemake`
MADE = (
    "corpora/*/*.parquet", "codecs/*/*", "audio/**/*.tar", "audio/**/*.parquet", "protocols/**/*.tsv",
    "models/**/*.safetensors", "scores/**/*.tsv", "quality/*.tsv", "tables/*.csv",
    "audit/*",
)  # fmt: skip


def run(
    directory: Path, experiment: Path, *targets: str, options: Sequence[str] = (), config: Sequence[str] = ON_CPU
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake as a user does, in a run directory of its own."""
    command = [sys.executable, "-m", "snakemake", *_arguments(directory, experiment, targets, options, config)]
    environment = {**os.environ, "PATH": _path()}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT)


def snakemake(
    directory: Path, experiment: Path, *targets: str, options: Sequence[str] = (), config: Sequence[str] = ON_CPU
) -> subprocess.CompletedProcess[str]:
    """The same, without the seconds that imports take: in a copy of this process, with the `python` of `python_in`."""
    return in_a_copy(_arguments(directory, experiment, targets, options, config))


@contextmanager
def python_in(folder: Path) -> Iterator[None]:
    """Jobs of `snakemake` are started by the `python` of that folder."""
    FOLDERS.append(folder)
    yield
    FOLDERS.remove(folder)


def in_a_copy(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Snakemake's command line in a fork of this process; its jobs are processes as always."""
    _import_for_copies()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        copy = multiprocessing.get_context("fork").Process(target=_main, args=(list(arguments), stdout, stderr))
        copy.start()
        copy.join(TIMEOUT)
        if copy.exitcode is None:
            copy.kill()
            copy.join()
        output, errors = (_text(file) for file in (stdout, stderr))
    assert copy.exitcode is not None
    return subprocess.CompletedProcess(list(arguments), copy.exitcode, output, errors)


@cache
def _import_for_copies() -> None:
    """Import what every copy would import again: Snakemake, its plugins, and the modules of the Snakefile."""
    from snakemake import cli

    cli.get_argument_parser()  # which loads all plugins
    for path in (ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))):
        for module in re.findall(r"^from (codecfake\S*) import", path.read_text(encoding="utf-8"), re.MULTILINE):
            importlib.import_module(module)


def _arguments(
    directory: Path, experiment: Path, targets: Sequence[str], options: Sequence[str], config: Sequence[str]
) -> list[str]:
    settings = [f"experiment={experiment}", *config]
    return ["--cores", "2", "--directory", str(directory), *options, "--config", *settings, "--", *targets]


def _main(arguments: list[str], stdout: IO[bytes], stderr: IO[bytes]) -> None:
    for number, file in enumerate((stdout, stderr), start=1):
        os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, encoding="utf-8") for number in (1, 2))
    os.environ["PATH"] = _path(*FOLDERS)
    os.chdir(ROOT)
    from snakemake import cli

    cli.main(arguments)


def _path(*folders: Path) -> str:
    return os.pathsep.join([*map(str, folders), str(Path(sys.executable).parent), os.environ["PATH"]])


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


def rerun(
    directory: Path, experiment: Path, *targets: str, options: Sequence[str] = (), config: Sequence[str] = ON_CPU
) -> dict[str, int]:
    """Rule -> number of jobs that a run of `all`, or of these targets, would start now."""
    options = ["--dry-run", *options]
    process = snakemake(directory, experiment, *(targets or ("all",)), options=options, config=config)
    assert process.returncode == 0, process.stdout + process.stderr
    return jobs_by_rule(process.stdout + process.stderr)


def jobs_by_rule(output: str) -> dict[str, int]:
    jobs = re.findall(r"^(\w[\w-]*) +(\d+)$", output, re.MULTILINE)
    return {rule: int(count) for rule, count in jobs if rule not in ("all", "total")}


def digests(directory: Path, *patterns: str) -> dict[str, str]:
    paths = sorted(path for pattern in patterns for path in (directory / "results").glob(pattern))
    members = [path for path in paths if path.is_file()]
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in members}
