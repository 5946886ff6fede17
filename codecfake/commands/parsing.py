"""What all commands of the command line have in common."""

import argparse
from collections.abc import Callable
from typing import Any

Commands = Any  # argparse's own class of it is not public


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], text: str, settings: bool = True
) -> argparse.ArgumentParser:
    """A command that calls `run` with its options; `settings`: those of its step are given as JSON."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if settings:
        parser.add_argument("--settings", required=True, help="the step's settings as a JSON object")
    return parser


def count(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is below 0")
    return number
