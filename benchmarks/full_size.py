"""Measures the full plans as graphs: the cost of building them, the trials in their protocols, the reruns of changes.

    python benchmarks/full_size.py [--experiments xie2025 wu2024] [--directory runs/full-size]
    python benchmarks/full_size.py --experiments xie2025 --directory runs/rehearsal --tables-only

No corpus is needed: utterance tables of the published sizes (SIZE of each layout) replace ingested ones.
`--tables-only` writes only these tables and prints the command that uses them, to rehearse the graph and the protocols
before the corpora are available. Such tables have no audio, and all paths in them begin with `rehearsal/`: do not use
their directory for a real run.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import pandas as pd
import yaml

from benchmarks import rehearsal
from codecfake.base import files
from codecfake.experiment import reading

EXPERIMENTS = ("xie2025", "xie2025-official", "wu2024")

# Runs a command and records its cost, in a separate process: a process inherits the peak memory of its parent.
MEASURE = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"cpu": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss}, file)
sys.exit(status)
"""


@dataclass(frozen=True)
class Change:
    """A change of one value of an experiment, after which some jobs run again."""

    name: str
    keys: tuple[str, ...]
    value: Any


CHANGES = {
    "xie2025": (
        Change("a codec that detectors train on: level of F04", ("codecs", "encodec", "gain"), "rms"),
        Change("a codec that is only evaluated: level of F07", ("codecs", "dac", "gain"), "rms"),
        Change("a detector: width of mel-lcnn", ("detectors", "mel-lcnn", "back_end", "width"), 0.5),
        Change("a training set: epochs of codec-english", ("training_sets", "codec-english", "epochs"), 5),
        Change("a condition: utterances of C7", ("conditions", "C7", "spoof", "utterances"), "eval"),
        Change(
            "a new condition",
            ("conditions", "new"),
            {"bonafide": {"domain": "codec"}, "spoof": {"domain": "codec", "source": "C4-1", "utterances": "all"}},
        ),
        Change("text of the report", ("notes",), ["A note."]),
    ),
    "wu2024": (
        Change("a codec: level of E", ("codecs", "encodec", "gain"), "rms"),
        Change("a training set: epochs of E", ("training_sets", "E", "epochs"), 3),
        Change("a condition: utterances of E", ("conditions", "E", "spoof", "utterances"), "all"),
    ),
}


def main() -> None:
    """Measure and print the tables."""
    options = _parser().parse_args()
    for name in options.experiments:
        run = Run(name, options.directory.absolute() / name)
        run.write_tables()
        if options.tables_only:
            print(f"{run.directory}: utterance tables of published sizes; use them with\n{run.in_a_shell('protocols')}")
        else:
            _measure(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=EXPERIMENTS)
    parser.add_argument("--directory", type=Path, default=Path("runs/full-size"))
    parser.add_argument("--tables-only", action="store_true", help="write the tables and print how to use them")
    return parser


def _measure(run: "Run") -> None:
    jobs, dry = run.jobs()
    protocols = run.snakemake("protocols")
    print(f"**{run.name}**, {sum(jobs.values()):,} jobs\n")
    print("| command | processor, s | clock, s | memory, MiB |\n|---|---|---|---|")
    for name, cost in (("snakemake --dry-run all", dry), ("snakemake protocols", protocols)):
        print(f"| `{name}` | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak_mib:.0f} |", flush=True)
    print("\n| list | bona fide | spoof | speakers |\n|---|---|---|---|")
    for path in sorted(run.directory.glob("results/protocols/*/*.tsv")):
        print(_counts_row(path), flush=True)
    run.mark_as_finished()
    print("\n| change | runs again |\n|---|---|")
    for change in (Change("none", (), None), *CHANGES.get(run.name, ())):
        again, _ = run.jobs(run.with_change(change))
        cells = ", ".join(f"{rule} {count}" for rule, count in again.items()) or "nothing"
        print(f"| {change.name} | {cells} |", flush=True)
    print()


def _counts_row(path: Path) -> str:
    trials = pd.read_csv(path, sep="\t", dtype=str, usecols=["key", "speaker_id", "corpus"])
    bonafide = int((trials["key"] == "bonafide").sum())
    speakers = len(trials[["corpus", "speaker_id"]].drop_duplicates())
    return f"| {path.parent.name}/{path.stem} | {bonafide:,} | {len(trials) - bonafide:,} | {speakers} |"


@dataclass(frozen=True)
class Cost:
    cpu: float  # seconds, of the command and all of its child processes
    wall: float
    peak_mib: float  # of the largest process


class Run:
    """An experiment in a run directory whose corpora are only tables."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory = name, directory
        self._path = ROOT / "experiments" / f"{name}.yaml"
        self._experiment = reading.load(self._path)

    def write_tables(self) -> None:
        for corpus in self._experiment.corpora:
            (self.directory / "corpora" / corpus).mkdir(parents=True, exist_ok=True)
        rehearsal.write_tables(self._experiment, self.directory / "results", wu2024=self.name == "wu2024")

    def command(self, *arguments: str, experiment: str | None = None) -> list[str]:
        roots = ", ".join(f"{corpus}: {self.directory / 'corpora' / corpus}" for corpus in self._experiment.corpora)
        return [
            "snakemake", "--cores", "2", "--directory", str(self.directory), *arguments[:-1],
            "--config", f"experiment={experiment or self.name}", "check_disk=False", f"corpora={{{roots}}}",
            "--", arguments[-1],
        ]  # fmt: skip

    def in_a_shell(self, *arguments: str) -> str:
        return " ".join(f"'{word}'" if " " in word else word for word in self.command(*arguments))

    def snakemake(self, *arguments: str, experiment: str | None = None) -> Cost:
        """Run Snakemake and store its output in the directory. Raises RuntimeError if it fails."""
        output, start = self.directory / "snakemake.txt", time.perf_counter()
        with output.open("w") as file:
            command = [sys.executable, "-m", *self.command(*arguments, experiment=experiment)]
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            wrapper = [sys.executable, "-c", MEASURE, self.directory / "used.json", *command]
            process = subprocess.run(wrapper, cwd=ROOT, stdout=file, stderr=file, env={**os.environ, "PATH": path})
        if process.returncode:
            raise RuntimeError(f"{self.name}: snakemake {' '.join(arguments)} failed; see {output}")
        wall, usage = time.perf_counter() - start, json.loads((self.directory / "used.json").read_text())
        return Cost(usage["cpu"], wall, usage["peak_kib"] / 1024)

    def jobs(self, experiment: str | None = None) -> tuple[dict[str, int], Cost]:
        """Rule -> number of jobs that a dry run of `all` lists."""
        cost = self.snakemake("--dry-run", "all", experiment=experiment)
        counts = re.findall(r"^(\w[\w-]*) +(\d+)$", (self.directory / "snakemake.txt").read_text(), re.MULTILINE)
        return {rule: int(count) for rule, count in counts if rule not in ("all", "total")}, cost

    def mark_as_finished(self) -> None:
        """Create every output as an empty file, and let Snakemake mark them as finished."""
        self.snakemake("--summary", "all")
        for line in (self.directory / "snakemake.txt").read_text().splitlines():
            name = line.split("\t")[0]
            if "\t" in line and name.startswith("results/"):
                path = self.directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        self.snakemake("--touch", "--forceall", "all")

    def with_change(self, change: Change) -> str:
        """Write the experiment with one change; returns the path of the file."""
        values = reading.read(self._path)
        if change.keys:
            place = values
            for key in change.keys[:-1]:
                place = place.setdefault(key, {})
            place[change.keys[-1]] = change.value
        path = self.directory / "changed.yaml"
        files.write_text(path, yaml.safe_dump(values, sort_keys=False))
        return str(path)


if __name__ == "__main__":
    main()
