"""The command line: its commands, in the groups and the order of its help."""

from codecfake import __version__
from codecfake.commands import (
    checking,
    judging,
    looking,
    pretraining,
    publishing,
    resynthesizing,
    running,
    scoring,
    setting_up,
    steps,
)
from codecfake.commands.parsing import Commands, Parser

GROUPS = {
    "make": (running, resynthesizing, pretraining),
    "look": (looking,),
    "judge": (scoring, judging),
    "check": (checking,),
    "publish": (publishing,),
    "set up": (setting_up,),
}
EXAMPLES = """
examples:
  codecfake demo                         a small complete run on synthesized speech: results/report.html
  codecfake run xie2025 --run runs/xie   an experiment, in its own run directory
  codecfake score speech.flac            is it bona fide? (with the shipped demonstration of a detector)

`codecfake COMMAND --help` shows more. `codecfake step --help` lists the steps that the workflow's rules call."""


class TopParser(Parser):
    """The parser of `codecfake` itself, whose help lists the commands in groups, in the epilog."""

    def format_help(self) -> str:
        """Usage, options and epilog, without argparse's own list of all commands."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, [])
        formatter.add_text(self.description)
        formatter.start_section("options")
        formatter.add_arguments(self._optionals._group_actions)
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


def parser() -> Parser:
    """The whole command line."""
    top = TopParser(
        prog="codecfake",
        usage="codecfake [--help] [--version] COMMAND …",
        description="Make codec-fake speech, train detectors on it and measure their error rates.",
    )
    top.add_argument("--version", action="version", version=f"codecfake {__version__}", help="show the version")
    below = top.add_subparsers(
        required=True, metavar="COMMAND", help="what to do", prog="codecfake", parser_class=Parser
    )
    top.epilog = f"{_add_groups(below)}\n{EXAMPLES}"
    steps.add(below)
    return top


def _add_groups(commands: Commands) -> str:
    """Add every command for people; returns their list, in groups."""
    lines: list[str] = []
    for title, modules in GROUPS.items():
        before = len(commands._choices_actions)
        for module in modules:
            module.add(commands)
        lines += ["", f"{title}:"] if lines else [f"{title}:"]
        lines += [f"  {action.dest:<18} {action.help}" for action in commands._choices_actions[before:]]
    return "\n".join(lines)
