"""The command line behind the workflow's rules: `python -m codecfake COMMAND --help`."""

import argparse
import json
import logging
import sys
from pathlib import Path

from codecfake.settings import build, from_json


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors that a user can mend end in one message, without a traceback."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        logging.getLogger("codecfake").debug("", exc_info=True)
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codecfake", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = _command(commands, "demo", _demo, "synthesize the demo corpora in their official layouts")
    demo.add_argument("--output", type=Path, required=True)
    demo.add_argument("--workers", type=int, default=1)

    ingest = _command(commands, "ingest", _ingest, "list a corpus and decode every file once")
    ingest.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    ingest.add_argument("--utterances", type=Path, required=True, help="the utterance table to write (parquet)")
    ingest.add_argument("--rejected", type=Path, required=True, help="the list of bad files to write (TSV)")
    ingest.add_argument("--workers", type=int, default=1)

    record = _command(commands, "record", _record, "write one shard of recordings as they are")
    record.add_argument("--utterances", type=Path, required=True)
    record.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    record.add_argument("--shard", type=int, required=True)
    record.add_argument("--output", type=Path, required=True, help="the tar to write")

    partition = _command(commands, "partition", _partition, "write the train and dev protocols of a domain")
    condition = _command(commands, "condition", _condition, "write the eval protocol of a condition")
    for parser_ in (partition, condition):
        parser_.add_argument("--name", required=True)
        parser_.add_argument("--corpora", type=Path, required=True, help="folder of {corpus}/utterances.parquet")
        parser_.add_argument("--output", type=Path, required=True, help="folder of protocols")

    sources = _command(commands, "sources", _sources, "write which codec makes which source")
    sources.add_argument("--output", type=Path, required=True, help="the TSV to write")

    train = _command(commands, "train", _train, "train one detector")
    train.add_argument("--train", type=Path, nargs="+", required=True, help="train protocols")
    train.add_argument("--dev", type=Path, nargs="+", required=True, help="dev protocols")
    train.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    train.add_argument("--output", type=Path, required=True)
    train.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    train.add_argument("--threads", type=int, default=1)

    score = _command(commands, "score", _score, "score the trials of every condition", settings=False)
    score.add_argument("--model", type=Path, required=True)
    score.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols, {condition}.tsv")
    score.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    score.add_argument("--audio", type=Path, required=True)
    score.add_argument("--output", type=Path, required=True, help="folder for {condition}.tsv")
    score.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    score.add_argument("--threads", type=int, default=1)

    tables = _command(commands, "tables", _tables, "compute the tables from score files")
    tables.add_argument("--scores", type=Path, required=True)
    tables.add_argument("--protocols", type=Path, required=True, help="folder of eval protocols")
    tables.add_argument("--output", type=Path, required=True)

    quality = _command(commands, "quality", _quality, "measure how well one source gives held-out speech back")
    quality.add_argument("--protocols", type=Path, nargs="+", required=True, help="whose bona fide trials are measured")
    quality.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    quality.add_argument("--output", type=Path, required=True, help="the TSV to write, a row an utterance")

    summary = _command(commands, "quality-summary", _quality_summary, "compute the tables of quality over all sources")
    summary.add_argument("--measured", type=Path, required=True, help="folder of {source}.tsv")
    summary.add_argument("--output", type=Path, required=True, help="folder for quality.csv and quality_order.csv")

    report = _command(commands, "report", _report, "write the HTML report")
    report.add_argument("--results", type=Path, required=True)
    report.add_argument("--output", type=Path, required=True)

    export = _command(commands, "export", _export, "unpack shards into loose FLAC files", settings=False)
    export.add_argument("--audio", type=Path, default=Path("results/audio"))
    export.add_argument("--to", type=Path, required=True)
    export.add_argument("--sources", nargs="+", help="e.g. F00 F01; all by default")
    return parser


def _command(commands, name: str, run, text: str, settings: bool = True) -> argparse.ArgumentParser:  # type: ignore[no-untyped-def]
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if settings:
        parser.add_argument("--settings", required=True, help="the step's settings as a JSON object")
    return parser


def _demo(options: argparse.Namespace) -> None:
    from codecfake.demo.corpora import synthesize
    from codecfake.demo.settings import DemoSettings

    synthesize(options.output, from_json(DemoSettings, options.settings), options.workers)


def _ingest(options: argparse.Namespace) -> None:
    from codecfake.ingest import IngestSettings, ingest

    settings = from_json(IngestSettings, options.settings)
    ingest(options.root, settings, options.utterances, options.rejected, options.workers)


def _record(options: argparse.Namespace) -> None:
    from codecfake.recordings import RecordingsSettings, write_shard

    settings = from_json(RecordingsSettings, options.settings)
    write_shard(settings, options.utterances, options.root, options.shard, options.output)


def _partition(options: argparse.Namespace) -> None:
    from codecfake.protocols import PartitionSettings, write_partition

    write_partition(from_json(PartitionSettings, options.settings), options.corpora, options.output, options.name)


def _condition(options: argparse.Namespace) -> None:
    from codecfake.protocols import ConditionSettings, write_condition

    write_condition(from_json(ConditionSettings, options.settings), options.corpora, options.output, options.name)


def _sources(options: argparse.Namespace) -> None:
    from codecfake.sources import SourcesSettings, write_sources

    write_sources(from_json(SourcesSettings, options.settings), options.output)


def _train(options: argparse.Namespace) -> None:
    from codecfake.devices import prepare
    from codecfake.training import TrainSettings, train

    device = prepare(options.device, options.threads)
    settings = from_json(TrainSettings, options.settings)
    train(options.train, options.dev, options.audio, options.output, settings, device)


def _score(options: argparse.Namespace) -> None:
    from codecfake.devices import prepare
    from codecfake.scoring import score

    device = prepare(options.device, options.threads)
    score(options.model, options.protocols, options.audio, options.output, device, options.trained_on)


def _tables(options: argparse.Namespace) -> None:
    from codecfake.tables import TableSettings, write_tables

    settings = from_json(TableSettings, options.settings)
    write_tables(options.scores, options.protocols, settings.models, settings.conditions, options.output)


def _quality(options: argparse.Namespace) -> None:
    from codecfake.quality import QualitySettings, measure_source

    measure_source(from_json(QualitySettings, options.settings), options.protocols, options.audio, options.output)


def _quality_summary(options: argparse.Namespace) -> None:
    from codecfake.quality import SummarySettings, write_summary

    write_summary(from_json(SummarySettings, options.settings), options.measured, options.output)


def _report(options: argparse.Namespace) -> None:
    from codecfake.report.excerpts import choose
    from codecfake.report.inputs import ReportInputs
    from codecfake.report.page import write_report

    asked = json.loads(options.settings)
    excerpts = choose(options.results / "protocols" / "eval" / f"{asked['conditions'][0]}.tsv")
    inputs = {**asked, "results": options.results, "excerpts": excerpts}
    write_report(build(ReportInputs, inputs), options.output)


def _export(options: argparse.Namespace) -> None:
    from codecfake.export import export

    print(f"{export(options.audio, options.to, options.sources)} files written to {options.to}")


if __name__ == "__main__":
    main()
