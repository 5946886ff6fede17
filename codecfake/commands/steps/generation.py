"""Steps that make fakes with generators: lists of what they say, shards, and the tables of the fakes."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from codecfake.base.counts import positive
from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, add_job, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    listing = step(commands, "generation-list", _list, "write what a generator says, and with which voice")
    listing.add_argument("--corpora", type=Path, required=True, help="folder of {corpus}/utterances.parquet")
    listing.add_argument("--captions", type=Path, help="captions of a corpus, where they are its texts")
    listing.add_argument("--output", type=Path, required=True, help="the TSV file to write")

    generate = step(commands, "generate", _generate, "generate one shard of fakes")
    generate.add_argument("--list", type=Path, required=True, help="the corpus's generation list")
    generate.add_argument("--corpora", type=Path, required=True, help="folder of {corpus}/utterances.parquet")
    generate.add_argument("--roots", nargs="*", default=[], help="folders of prompts", metavar="CORPUS=FOLDER")
    generate.add_argument("--weights", type=Path, help="weights of the generator")
    generate.add_argument("--codec-weights", type=Path, help="weights of the codec that it uses")
    generate.add_argument("--shard", type=int, required=True, help="its number, from 0")
    generate.add_argument("--batch-size", type=positive, default=1, help="items at a time; it changes no byte")
    generate.add_argument("--output", type=Path, required=True, help="the tar file to write")
    add_job(generate)

    table = step(commands, "list-generated", _list_generated, "write the utterance table of a generated corpus")
    table.add_argument("--indexes", type=Path, nargs="+", required=True, help="indexes of all of its shards")
    table.add_argument("--left-out", type=Path, required=True, help="texts without an item in its generation list")
    table.add_argument("--utterances", type=Path, required=True, help="the utterance table to write (parquet)")
    table.add_argument("--rejected", type=Path, required=True, help="the list of missing fakes to write (TSV)")

    measure = step(commands, "measure-generated", _measure, "measure duration, level and silence", settings=False)
    measure.add_argument("--corpus", required=True, help="name of the generated corpus")
    measure.add_argument("--utterances", type=Path, required=True, help="its utterance table")
    measure.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    measure.add_argument("--output", type=Path, required=True, help="the TSV file to write, one row per fake")

    summary = step(commands, "generated-summary", _summary, "summarize these measures", settings=False)
    summary.add_argument("--measured", type=Path, nargs="+", required=True, help="{corpus}.tsv of every corpus")
    summary.add_argument("--output", type=Path, required=True, help="the CSV file to write")


def _list(options: argparse.Namespace) -> None:
    from codecfake.protocols.generation_lists import GenerationListSettings, write_generation_list

    settings = from_json(GenerationListSettings, options.settings)
    write_generation_list(settings, options.corpora, options.captions, options.output)


def _generate(options: argparse.Namespace) -> None:
    from codecfake.base import archives
    from codecfake.base.devices import prepare_job
    from codecfake.generators.job_settings import ShardSettings
    from codecfake.generators.prompts import Prompts
    from codecfake.generators.shard import Run, generate_shard

    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(ShardSettings, options.settings)
    roots = dict(pair.split("=", 1) for pair in options.roots)
    run = Run(device, options.batch_size, options.weights, options.codec_weights)
    with ExitStack() as stack:
        folders = {name: stack.enter_context(archives.unpacked(Path(root))) for name, root in roots.items()}
        prompts = Prompts(options.corpora, folders)
        generate_shard(settings, options.list, prompts, run, options.shard, options.output)


def _list_generated(options: argparse.Namespace) -> None:
    from codecfake.corpora.generated import write_utterances
    from codecfake.corpora.settings import GeneratedSettings

    settings = from_json(GeneratedSettings, options.settings)
    write_utterances(settings, options.indexes, options.left_out, options.utterances, options.rejected)


def _measure(options: argparse.Namespace) -> None:
    from codecfake.quality.generated import measure_generated

    measure_generated(options.corpus, options.utterances, options.audio, options.output)


def _summary(options: argparse.Namespace) -> None:
    from codecfake.quality.generated import write_generated_summary

    write_generated_summary(options.measured, options.output)
