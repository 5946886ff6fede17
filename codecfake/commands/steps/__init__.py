"""The steps that the workflow's rules call: `codecfake step NAME`, hidden from the main help."""

from codecfake.commands.parsing import Commands, Parser
from codecfake.commands.steps import corpora, detectors, generation, measures, partial, protocols, report, tracing

GROUPS = (corpora, protocols, generation, detectors, measures, tracing, partial, report)


def add(commands: Commands) -> None:
    """Add the command `step` and all steps to the subparsers of a parser."""
    parser: Parser = commands.add_parser("step", description="One step of the workflow, as called by its rules.")
    parser.set_defaults(parser=parser, is_step=True)
    below = parser.add_subparsers(
        required=True, metavar="STEP", help="what to do", title="steps", prog="codecfake step", parser_class=Parser
    )
    for group in GROUPS:
        group.add(below)
