"""The full plans as graphs: what Snakemake needs to build them, what their protocols hold, what a change runs again.

    python benchmarks/full_size.py [--experiments xie2025 wu2024] [--directory runs/full-size]
    python benchmarks/full_size.py --experiments xie2025 --directory runs/rehearsal --tables-only

No corpus is needed: utterance tables of the published sizes (SIZE of each layout) stand in for ingested ones.
With `--tables-only` they are all that is made, and the command that uses them is printed: a rehearsal of the graph and
of the protocols before the corpora are there. Nothing can be resynthesized from such tables; a directory that has them
must not become that of a real run, and each of their paths begins with `rehearsal/`.
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

# Runs a command and writes down what it used. A process of its own: one begins with the peak memory of what started it.
USED_BY = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"cpu": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss}, file)
sys.exit(status)
"""


@dataclass(frozen=True)
class Change:
    """A value of an experiment that is replaced, to see what runs again."""

    name: str
    keys: tuple[str, ...]
    value: Any


CHANGES = {
    "xie2025": (
        Change("a codec that detectors train on: level of F04", ("codecs", "encodec", "gain"), "rms"),
        Change("a codec that is only judged: level of F07", ("codecs", "dac", "gain"), "rms"),
        Change("a detector: width of mel-lcnn", ("detectors", "mel-lcnn", "back_end", "width"), 0.5),
        Change("a training set: epochs of codec-english", ("training_sets", "codec-english", "epochs"), 5),
        Change("a condition: utterances of C7", ("conditions", "C7", "spoof", "utterances"), "eval"),
        Change(
            "a new condition",
            ("conditions", "new"),
            {"bonafide": {"domain": "codec"}, "spoof": {"domain": "codec", "source": "C4-1", "utterances": "all"}},
        ),
        Change("words of the report", ("notes",), ["A note."]),
    ),
    "wu2024": (
        Change("a codec: level of E", ("codecs", "encodec", "gain"), "rms"),
        Change("a detector: width of aasist", ("detectors", "aasist", "back_end", "graph_dims"), [32, 16]),
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
            print(f"{run.directory}: utterance tables of published sizes, used by\n{run.in_a_shell('protocols')}")
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
    done = run.snakemake("protocols")
    print(f"**{run.name}**, {sum(jobs.values()):,} jobs\n")
    print("| command | processor, s | clock, s | memory, MiB |\n|---|---|---|---|")
    for name, cost in (("snakemake --dry-run all", dry), ("snakemake protocols", done)):
        print(f"| `{name}` | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak_mib:.0f} |", flush=True)
    print("\n| list | bona fide | spoof | speakers |\n|---|---|---|---|")
    for path in sorted(run.directory.glob("results/protocols/*/*.tsv")):
        print(_counts_row(path), flush=True)
    run.pretend_to_be_done()
    print("\n| change | runs again |\n|---|---|")
    for change in (Change("none", (), None), *CHANGES.get(run.name, ())):
        again, _ = run.jobs(run.changed(change))
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
    cpu: float  # seconds, of the command and of all that it started
    wall: float
    peak_mib: float  # of the largest process


class Run:
    """An experiment in a run directory whose corpora are tables alone."""

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
        """Run it. Its output is left in the directory. Raises RuntimeError if it fails."""
        output, start = self.directory / "snakemake.txt", time.perf_counter()
        with output.open("w") as file:
            command = [sys.executable, "-m", *self.command(*arguments, experiment=experiment)]
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            measured = [sys.executable, "-c", USED_BY, self.directory / "used.json", *command]
            done = subprocess.run(measured, cwd=ROOT, stdout=file, stderr=file, env={**os.environ, "PATH": path})
        if done.returncode:
            raise RuntimeError(f"{self.name}: snakemake {' '.join(arguments)} failed; see {output}")
        wall, used = time.perf_counter() - start, json.loads((self.directory / "used.json").read_text())
        return Cost(used["cpu"], wall, used["peak_kib"] / 1024)

    def jobs(self, experiment: str | None = None) -> tuple[dict[str, int], Cost]:
        """Rule -> jobs that a dry run of `all` would start."""
        cost = self.snakemake("--dry-run", "all", experiment=experiment)
        found = re.findall(r"^(\w[\w-]*) +(\d+)$", (self.directory / "snakemake.txt").read_text(), re.MULTILINE)
        return {rule: int(count) for rule, count in found if rule not in ("all", "total")}, cost

    def pretend_to_be_done(self) -> None:
        """Give every output an empty file, and have Snakemake note that the rules made them."""
        self.snakemake("--summary", "all")
        for line in (self.directory / "snakemake.txt").read_text().splitlines():
            name = line.split("\t")[0]
            if "\t" in line and name.startswith("results/"):
                path = self.directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        self.snakemake("--touch", "--forceall", "all")

    def changed(self, change: Change) -> str:
        """The experiment with one change, as a file."""
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
