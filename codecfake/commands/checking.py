"""Commands that check the results of a run."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from codecfake.base.counts import count
from codecfake.commands.parsing import Commands, add_run, command

MOST_NAMES = 10


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    check = command(
        commands, "check", _check, "compare all finished files with their digests; exits 1 if any is damaged",
        "codecfake check --run runs/xie --delete",
    )  # fmt: skip
    add_run(check)
    check.add_argument("--delete", action="store_true", help="delete damaged files; the workflow makes them again")
    check.add_argument(
        "--workers", type=count, default=os.cpu_count() or 1, help="processes, each of which reads a shard", metavar="N"
    )


def _check(options: argparse.Namespace) -> None:
    from codecfake.running import finished_files
    from codecfake.running.check import check, delete

    results = options.directory / "results"
    damages = list(check(results, options.workers))
    for damage in damages:
        print(f"{damage.path}: {damage.what}")
    _print_unsealed(finished_files.without_seal(results))
    if not damages:
        print(f"{results}: all finished files are undamaged")
    elif options.delete:
        deleted = [path for path in delete(damages) if finished_files.has_rule(path, results)]
        _print_command(results.parent, [str(path.relative_to(results.parent)) for path in deleted])
    else:
        sys.exit(f"{len(damages)} damaged; delete these files with --delete, so that the workflow makes them again")


def _print_command(directory: Path, names: Sequence[str]) -> None:
    """Print what makes deleted files again; files without a rule are made when they are needed."""
    if not names:
        print("\nDeleted. The next run makes them again, if it needs them.")
        return
    print("\nDeleted. To make only these files again (add the --config of your run, if it had one):")
    print(f"snakemake --directory {shlex.quote(str(directory))} -- {shlex.join(names)}")


def _print_unsealed(paths: Sequence[Path]) -> None:
    """Name the files of which only the form was checked."""
    if paths:
        names = ", ".join(map(str, paths[:MOST_NAMES])) + (", …" if len(paths) > MOST_NAMES else "")
        print(
            f"{len(paths)} files have no seal (FILE.sha256): an earlier version wrote them, or the seal was removed. "
            f"Only their form was checked: {names}"
        )
