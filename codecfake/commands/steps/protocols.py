"""Steps that write lists: protocols, sources, and the check that training data contains no evaluation trials."""

import argparse
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    partition = step(commands, "partition", _partition, "write the train and dev protocols of a domain")
    condition = step(commands, "condition", _condition, "write the eval protocol of a condition")
    for parser_ in (partition, condition):
        parser_.add_argument("--name", required=True, help="name of the domain or the condition")
        parser_.add_argument("--corpora", type=Path, required=True, help="folder of {corpus}/utterances.parquet")
        parser_.add_argument("--output", type=Path, required=True, help="folder of protocols")

    sources = step(commands, "sources", _sources, "write the table of sources and their codecs")
    sources.add_argument("--output", type=Path, required=True, help="the TSV file to write")

    check = step(commands, "check-lists", _check_lists, "refuse to train on evaluation trials", settings=False)
    check.add_argument("--lists", type=Path, nargs="+", required=True, help="train and dev protocols")
    check.add_argument("--judged", type=Path, nargs="+", required=True, help="every eval protocol")
    check.add_argument("--output", type=Path, required=True, help="the TSV file to write: lengths of the lists")
    check.add_argument("--below", type=Path, default=Path(), help="folder from which that file names the lists")


def _partition(options: argparse.Namespace) -> None:
    from codecfake.protocols.lists import PartitionSettings, write_partition

    write_partition(from_json(PartitionSettings, options.settings), options.corpora, options.output, options.name)


def _condition(options: argparse.Namespace) -> None:
    from codecfake.protocols.lists import ConditionSettings, write_condition

    write_condition(from_json(ConditionSettings, options.settings), options.corpora, options.output, options.name)


def _sources(options: argparse.Namespace) -> None:
    from codecfake.protocols.sources import SourcesSettings, write_sources

    write_sources(from_json(SourcesSettings, options.settings), options.output)


def _check_lists(options: argparse.Namespace) -> None:
    from codecfake.protocols.trials import check_separation

    check_separation(options.lists, options.judged, options.output, options.below)
