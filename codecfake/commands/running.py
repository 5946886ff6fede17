"""Commands that run the workflow: `run` and, for its small example, `demo`."""

import argparse
from pathlib import Path

from codecfake.commands.parsing import Commands, command

RUN, DEMO = "run", "demo"


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    run = command(
        commands, RUN, _run, "run an experiment, from corpora to the report",
        "codecfake run xie2025 --run runs/xie --config weights=/data/weights -- --dry-run",
    )  # fmt: skip
    run.add_argument(
        "experiment", nargs="?", metavar="EXPERIMENT",
        help="a name (see `codecfake list experiments`) or a YAML file; by default the one in config.yaml",
    )  # fmt: skip
    demo = command(
        commands, DEMO, _demo, "run the demo: a small complete run on synthesized speech", "codecfake demo --run demo"
    )
    for parser in (run, demo):
        _add_options(parser)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split the arguments into ours and those for Snakemake, which follow `--` after `run` or `demo`."""
    if arguments[:1] in ([RUN], [DEMO]) and "--" in arguments:
        at = arguments.index("--")
        return arguments[:at], arguments[at + 1 :]
    return arguments, []


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.usage = f"{parser.prog}{' [EXPERIMENT]' if parser.prog.endswith(RUN) else ''} [OPTIONS] [-- SNAKEMAKE …]"
    parser.add_argument(
        "--run", "--directory", type=Path, dest="directory", metavar="DIR",
        help="the run directory, created if necessary; by default the current folder",
    )  # fmt: skip
    parser.add_argument("--cores", default="all", help="how many cores the run may use", metavar="N")
    parser.add_argument(
        "--config", nargs="+", default=[], metavar="NAME=VALUE",
        help="settings that replace those of config.yaml, e.g. device=cpu 'corpora={vctk: /data/VCTK}'",
    )  # fmt: skip
    parser.epilog = (
        f"{parser.epilog}\n\n"
        "config.yaml is read from the run directory, or else the current folder; otherwise the shipped one is used.\n"
        "Relative paths start from the current folder. Options and targets after `--` are passed to Snakemake."
    )


def _run(options: argparse.Namespace) -> None:
    _start(options, options.experiment)


def _demo(options: argparse.Namespace) -> None:
    _start(options, "demo")


def _start(options: argparse.Namespace, experiment: str | None) -> None:
    from codecfake.running import launching

    launching.start(
        launching.Launch(Path.cwd(), experiment, options.directory, options.cores, options.config, options.of_snakemake)
    )
