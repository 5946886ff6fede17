"""The commands that run in a codec's environment; see `python -m codec_wrappers COMMAND --help`."""

import argparse
import logging
import shlex
import sys
import warnings
from datetime import date
from pathlib import Path

from codecfake.base import usage
from codecfake.base.counts import count
from codecfake.base.home import expand_options
from codecfake.base.settings import from_json


def main(arguments: list[str] | None = None) -> None:
    """Run one command; an error that a user can fix ends in one message, without a traceback."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    # the packages use torch's older weight normalization, because their checkpoints have its names
    warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
    options = expand_options(_parser().parse_args(arguments))
    try:
        options.run(options)
        if options.is_step:
            usage.tell()
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codec_wrappers", description=__doc__)
    parser.set_defaults(is_step=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    resynthesize = commands.add_parser("resynthesize", help="resynthesize one shard of recordings with one codec")
    resynthesize.set_defaults(run=_resynthesize, is_step=True)
    resynthesize.add_argument("--utterances", type=Path, required=True, help="the corpus's utterance table")
    resynthesize.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    resynthesize.add_argument("--weights", type=Path, help="safetensors file, or folder with Lyra's models")
    resynthesize.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    resynthesize.add_argument("--output", type=Path, required=True, help="folder for {source}/{shard}.tar")

    degrade = commands.add_parser("degrade", help="send the evaluated utterances of one shard through a second codec")
    degrade.set_defaults(run=_degrade, is_step=True)
    degrade.add_argument("--index", type=Path, required=True, help="the index of the shard")
    degrade.add_argument("--protocols", type=Path, nargs="+", required=True, help="protocols with the utterances")
    degrade.add_argument("--weights", type=Path, help="as of resynthesize")
    degrade.add_argument("--output", type=Path, required=True, help="folder for {source}+{step}/{shard}.tar")

    train = commands.add_parser("train", help="train a codec on recordings")
    train.set_defaults(run=_train, is_step=True)
    train.add_argument("--audio", type=Path, required=True, help="folder with {corpus}/{source}/{shard}.tar")
    train.add_argument("--source", default="native", help="name of the source; native: recordings at their own rate")
    train.add_argument("--start-from", type=Path, help="weights to start from: a safetensors file, or a folder")
    train.add_argument("--output", type=Path, required=True, help="folder for weights, history and quality")
    train.add_argument("--workers", type=int, default=0, help="processes that read audio; 0: read in this process")

    table = commands.add_parser("list", help="list the papers' codec configurations with their true bit rates")
    table.set_defaults(run=_list)
    table.add_argument(
        "experiments", nargs="*", default=["xie2025", "wu2024"], metavar="EXPERIMENT",
        help="names or YAML files of experiments; default: those of the papers",
    )  # fmt: skip
    table.add_argument(
        "--form",
        default="simple",
        choices=("simple", "github", "tsv", "html", "latex"),
        help="format of the table",
    )

    fetch = commands.add_parser("fetch", help="find or download published weights, verify and convert them")
    fetch.set_defaults(run=_fetch, is_step=True)
    fetch.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT", help="names from `--list`")
    fetch.add_argument("--list", action="store_true", help="list the checkpoints with their licenses")
    fetch.add_argument("--folder", type=Path, default=Path("weights"), help="folder of the official files")
    fetch.add_argument("--output", type=Path, help="folder for the converted weights of one checkpoint")

    ship = commands.add_parser("ship", help="copy the codecs that a run of demo-weights trained into the package")
    ship.set_defaults(run=_ship)
    ship.add_argument("directory", type=Path, metavar="RUN", help="the finished run directory")
    ship.add_argument("--to", type=Path, required=True, help="folder of the weights in the package's source")

    contract = commands.add_parser("contract", help="test codecs against their contract")
    contract.set_defaults(run=_contract)
    contract.add_argument("codecs", nargs="*", metavar="CODEC", help="published forms; default: all")
    contract.add_argument("--paper-size", action="store_true", help="networks of the published sizes, not small ones")
    contract.add_argument(
        "--weights", nargs="+", default=[], metavar="CODEC=PATH", help="trained weights of published networks"
    )
    contract.add_argument("--output", type=Path, help="Markdown page; default: print it")
    contract.add_argument("--device", default="cpu", choices=("cpu", "cuda", "auto"), help="where networks run")
    contract.add_argument("--threads", type=int, default=1, help="threads on a CPU")
    gpus = "GPUs that the workflow gives this job"
    resynthesize.add_argument("--gpus", type=int, choices=(0, 1), help=gpus)
    degrade.add_argument("--gpus", type=int, choices=(0, 1), help=gpus)
    train.add_argument("--gpus", type=count, help=f"{gpus}; each trains on a part of every batch")
    for command in (resynthesize, degrade, train):
        command.add_argument("--settings", required=True, help="the step's settings as a JSON object")
        command.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"), help="where networks run")
        command.add_argument("--threads", type=int, default=1, help="threads on a CPU")
    return parser


def _resynthesize(options: argparse.Namespace) -> None:
    from codec_wrappers.resynthesis.settings import ResynthesisSettings
    from codec_wrappers.resynthesis.shard import resynthesize_shard
    from codecfake.base import archives
    from codecfake.base.devices import prepare_job, use_huge_pages

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(ResynthesisSettings, options.settings)
    with archives.unpacked(options.root) as root:
        places = (options.utterances, root, options.weights, options.shard, options.output)
        resynthesize_shard(settings, *places, device, options.threads)


def _degrade(options: argparse.Namespace) -> None:
    from codec_wrappers.resynthesis.second_codec import degrade_shard
    from codec_wrappers.resynthesis.settings import SecondCodecSettings
    from codecfake.base.devices import prepare_job, use_huge_pages

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(SecondCodecSettings, options.settings)
    places = (options.index, options.protocols, options.weights, options.output)
    degrade_shard(settings, *places, device, options.threads)


def _train(options: argparse.Namespace) -> None:
    from codec_wrappers.training.loop import CodecTrainingSettings, train
    from codecfake.base import parallel
    from codecfake.base.devices import of_job, prepare_job

    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(CodecTrainingSettings, options.settings)
    arguments = {
        "settings": settings, "audio_root": options.audio, "source": options.source, "output": options.output,
        "workers": options.workers, "start": options.start_from,
    }  # fmt: skip
    parallel.run(train, arguments, of_job(device, options.gpus))


def _list(options: argparse.Namespace) -> None:
    from codecfake.experiment.codec_table import as_text, path_of, rows

    for name in options.experiments:
        print(as_text(rows(path_of(name)), options.form), end="\n\n")


def _fetch(options: argparse.Namespace) -> None:
    from codec_wrappers.weights import checkpoints, fetching

    if options.list:
        return print(checkpoints.table(checkpoints.load().values()))
    selection = [checkpoints.find(name) for name in options.checkpoints]
    if not selection:
        raise ValueError("fetch: name one or more checkpoints; `fetch --list` shows them")
    if options.output is None:
        fetching.obtain(selection, options.folder)
    elif len(selection) == 1:
        fetching.fetch(selection[0], options.folder, options.output)
    else:
        raise ValueError(f"fetch: --output takes one checkpoint, not {len(selection)}; fetch them one by one")
    return None


def _ship(options: argparse.Namespace) -> None:
    from codec_wrappers.weights.shipping import ship

    print("\n".join(ship(options.directory, options.to)))


def _contract(options: argparse.Namespace) -> None:
    from codec_wrappers import contract
    from codec_wrappers.contract.page import method, page
    from codecfake.base import files
    from codecfake.base.devices import prepare

    device = prepare(options.device, options.threads)
    weights = contract.weights_by_codec(options.weights)
    names = contract.choose(options.codecs, weights)
    rows = contract.measure_forms(names, weights, not options.paper_size, contract.Settings(), device)
    text = page(rows, method(shlex.join(sys.argv[1:]), date.today().isoformat(), device, options.paper_size))
    if options.output is None:
        print(text)
    else:
        files.write_note(options.output, text)
    contract.check(rows)


if __name__ == "__main__":
    main()
