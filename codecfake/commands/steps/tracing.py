"""Steps of source tracing: training, scoring, tables."""

import argparse
from pathlib import Path

from codecfake.base.counts import count
from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, add_job, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    train = step(commands, "train-tracer", _train, "train one model that traces sources")
    train.add_argument("--train", type=Path, nargs="+", required=True, help="train protocols")
    train.add_argument("--dev", type=Path, nargs="+", required=True, help="dev protocols")
    train.add_argument("--output", type=Path, required=True, help="the model folder to write")

    trace = step(commands, "trace", _trace, "score the sources of trials", settings=False)
    trace.add_argument("--model", type=Path, required=True, help="a model folder")
    trace.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols")
    trace.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    trace.add_argument("--unseen", nargs="*", default=[], metavar="SOURCE", help="sources of no class, to score too")
    trace.add_argument("--output", type=Path, required=True, help="the TSV file to write")
    for parser in (train, trace):
        parser.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
        add_job(parser, several_gpus=parser is train)
        parser.add_argument("--workers", type=count, default=0, help="processes that decode audio; 0: this process")

    tables = step(commands, "tracing-tables", _tables, "compute the tables of source tracing")
    tables.add_argument("--scores", type=Path, required=True, help="folder of {task}/{detector}/seed{n}.tsv")
    tables.add_argument("--protocols", type=Path, required=True, help="folder of eval protocols, with speakers")
    tables.add_argument("--output", type=Path, required=True, help="folder of tables")


def _train(options: argparse.Namespace) -> None:
    from codecfake.base import parallel
    from codecfake.base.devices import of_job, prepare_job, use_huge_pages
    from codecfake.training.loop import train
    from codecfake.training.tasks import Regression, Tracing
    from codecfake.training.tracing_settings import TracingSettings

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(TracingSettings, options.settings)
    regression = settings.regression
    task = Tracing(settings.classes) if regression is None else Regression(regression)
    arguments = {
        "train_tsv": options.train, "dev_tsv": options.dev, "audio_root": options.audio, "output": options.output,
        "settings": settings.training, "workers": options.workers, "task": task,
    }  # fmt: skip
    parallel.run(train, arguments, of_job(device, options.gpus))


def _trace(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.scoring.tracing import score

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    score(
        options.model,
        options.protocols,
        options.audio,
        options.output,
        device,
        options.unseen,
        options.trained_on,
        workers=options.workers,
    )


def _tables(options: argparse.Namespace) -> None:
    from codecfake.tables.tracing import write_tracing
    from codecfake.tables.tracing_settings import TracingTableSettings

    settings = from_json(TracingTableSettings, options.settings)
    write_tracing(options.scores, options.protocols, settings, options.output)
