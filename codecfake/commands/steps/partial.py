"""Steps of partial fakes: their audio, scores by segment, the table."""

import argparse
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, add_job, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    splice = step(commands, "splice", _splice, "replace spans of one shard of recordings by their coded form")
    splice.add_argument("--index", type=Path, required=True, help="the index of the shard of coded audio")
    splice.add_argument("--recordings", type=Path, required=True, help="the index of the same shard of recordings")
    splice.add_argument("--output", type=Path, required=True, help="the tar file to write")

    spans = step(commands, "list-spans", _list_spans, "list the spans of partial fakes", settings=False)
    spans.add_argument("indexes", type=Path, nargs="+", help="the indexes of all shards of a source", metavar="INDEX")
    spans.add_argument("--output", type=Path, required=True, help="the TSV file to write")

    score = step(commands, "score-segments", _score, "score the segments of trials")
    score.add_argument("--model", type=Path, required=True, help="a model folder")
    score.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols")
    score.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    score.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    score.add_argument("--output", type=Path, required=True, help="the TSV file to write")
    add_job(score, several_gpus=False)

    table = step(commands, "partial-table", _table, "compute the table of partial fakes")
    table.add_argument("--segments", type=Path, required=True, help="folder of {model}.tsv")
    table.add_argument("--protocols", type=Path, required=True, help="folder of {condition}.tsv")
    table.add_argument("--spans", type=Path, required=True, help="folder of {corpus}/{source}.tsv")
    table.add_argument("--output", type=Path, required=True, help="folder of tables")


def _splice(options: argparse.Namespace) -> None:
    from codecfake.audio.partial_settings import SplicingSettings
    from codecfake.audio.splicing import write_shard

    write_shard(from_json(SplicingSettings, options.settings), options.index, options.recordings, options.output)


def _list_spans(options: argparse.Namespace) -> None:
    from codecfake.audio.splicing import write_spans

    write_spans(options.indexes, options.output)


def _score(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.scoring.segment_settings import SegmentSettings
    from codecfake.scoring.segments import score

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(SegmentSettings, options.settings)
    score(options.model, options.protocols, options.audio, options.output, settings, device, options.trained_on)


def _table(options: argparse.Namespace) -> None:
    from codecfake.tables.partial import write_partial
    from codecfake.tables.partial_settings import PartialTableSettings

    settings = from_json(PartialTableSettings, options.settings)
    write_partial(options.segments, options.protocols, options.spans, settings, options.output)
