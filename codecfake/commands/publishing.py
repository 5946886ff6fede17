"""Commands that export results for others."""

import argparse
from pathlib import Path

from codecfake.commands.parsing import Commands, add_run, command


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    export = command(
        commands, "export", _export, "unpack shards into loose FLAC files",
        "codecfake export --run runs/xie --output flac --sources F01 F02",
    )  # fmt: skip
    add_run(export)
    export.add_argument("--output", type=Path, required=True, help="folder of {corpus}/{source}/", metavar="DIR")
    export.add_argument("--sources", nargs="+", help="e.g. F00 F01; all by default", metavar="SOURCE")


def _export(options: argparse.Namespace) -> None:
    from codecfake.audio.export import export

    number = export(options.directory / "results" / "audio", options.output, options.sources)
    print(f"{number} files written to {options.output}")
