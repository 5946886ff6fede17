"""The command that pre-trains a small front-end on the user's own recordings."""

import argparse

from codecfake.base.counts import positive
from codecfake.commands.parsing import Commands, add_file, command, key_values


def add(commands: Commands) -> None:
    """Add this command to the subparsers of a parser."""
    parser = command(
        commands, "pretrain", _pretrain, "pre-train a small SSL front-end on recordings, by masked prediction",
        "codecfake pretrain /data/LibriSpeech /data/AISHELL1 --output front-ends/wav2vec2 --settings steps=3500",
    )  # fmt: skip
    add_file(parser, "files", "audio files, or folders of them", nargs="+")
    add_file(parser, "--output", "the folder to write, for `weights` of an experiment's front-end", required=True)
    parser.add_argument(
        "--settings", nargs="+", default=[], metavar="KEY=VALUE",
        help="changes of the defaults: architecture (wav2vec2, wavlm, hubert), config, steps, batch_size, seed, …",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive, default=1, help="threads; another number can change the last bits")


def _pretrain(options: argparse.Namespace) -> None:
    import sys

    import torch

    from codecfake.base.printing import printable
    from codecfake.base.settings import build
    from codecfake.scoring.audio_files import audio_files
    from codecfake.training.pretraining.loop import pretrain
    from codecfake.training.pretraining.settings import PretrainingSettings

    settings = build(PretrainingSettings, key_values("--settings", options.settings, "steps=3500"))
    listing = audio_files(options.files)
    if left_out := str(listing.left_out):
        print(left_out, file=sys.stderr)
    torch.set_num_threads(options.threads)
    pretrain(settings, listing.paths, options.output)
    print(f"front-end written to {printable(str(options.output))}")
