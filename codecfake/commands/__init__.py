"""The commands of `python -m codecfake`, in the order in which its help lists them."""

from codecfake.commands import detecting, listing, making, measuring, reporting, running
from codecfake.commands.parsing import Commands

GROUPS = (running, making, listing, detecting, measuring, reporting)


def add_all(commands: Commands) -> None:
    """Add every command to the subparsers of a parser."""
    for group in GROUPS:
        group.add(commands)
