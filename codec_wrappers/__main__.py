"""The command line of everything that runs inside a codec's environment: `python -m codec_wrappers COMMAND --help`."""

import argparse
import logging
import sys
import warnings
from pathlib import Path

from codecfake.settings import from_json


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors that a user can mend end in one message, without a traceback."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    # the packages build their layers with torch's older weight normalization, which their checkpoints' names need
    warnings.filterwarnings("ignore", "`torch.nn.utils.weight_norm` is deprecated", FutureWarning)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codec_wrappers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    resynthesize = commands.add_parser("resynthesize", help="one shard of recordings through one codec")
    resynthesize.set_defaults(run=_resynthesize)
    resynthesize.add_argument("--utterances", type=Path, required=True, help="the corpus's utterance table")
    resynthesize.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    resynthesize.add_argument("--weights", type=Path, help="safetensors file, or folder of Lyra's models")
    resynthesize.add_argument("--shard", type=int, required=True)
    resynthesize.add_argument("--output", type=Path, required=True, help="folder of {source}/{shard}.tar")

    train = commands.add_parser("train", help="train a codec on recordings")
    train.set_defaults(run=_train)
    train.add_argument("--utterances", type=Path, nargs="+", required=True, help="utterance tables")
    train.add_argument("--roots", type=Path, nargs="+", required=True, help="their corpora's folders, in order")
    train.add_argument("--output", type=Path, required=True)
    for command in (resynthesize, train):
        command.add_argument("--settings", required=True, help="the step's settings as a JSON object")
        command.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
        command.add_argument("--threads", type=int, default=1)
    return parser


def _resynthesize(options: argparse.Namespace) -> None:
    from codec_wrappers.resynthesis import ResynthesisSettings, resynthesize_shard
    from codecfake.devices import prepare

    device = prepare(options.device, options.threads)
    settings = from_json(ResynthesisSettings, options.settings)
    resynthesize_shard(
        settings, options.utterances, options.root, options.weights, options.shard, options.output, device
    )


def _train(options: argparse.Namespace) -> None:
    from codec_wrappers.training import CodecTrainingSettings, train
    from codecfake.devices import prepare

    device = prepare(options.device, options.threads)
    corpora = list(zip(options.utterances, options.roots, strict=True))
    train(from_json(CodecTrainingSettings, options.settings), corpora, options.output, device)


if __name__ == "__main__":
    main()
