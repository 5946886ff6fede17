"""Commands that check the results of a run."""

import argparse
import os
import shlex
import sys

from codecfake.commands.parsing import Commands, add_run, command, count


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
    from codecfake.running.check import check, delete

    results = options.directory / "results"
    damages = list(check(results, options.workers))
    for damage in damages:
        print(f"{damage.path}: {damage.what}")
    if not damages:
        print(f"{results}: all finished files are undamaged")
    elif options.delete:
        deleted = [path.relative_to(results.parent) for path in delete(damages)]
        print("\nDeleted. To make only these files again (add the --config of your run, if it had one):")
        print(f"snakemake --directory {shlex.quote(str(results.parent))} -- {shlex.join(map(str, deleted))}")
    else:
        sys.exit(f"{len(damages)} damaged; delete these files with --delete, so that the workflow makes them again")
