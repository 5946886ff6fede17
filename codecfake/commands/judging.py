"""Commands that evaluate score files, import checkpoints and calibrate models."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from codecfake.base.counts import count
from codecfake.base.printing import print_json
from codecfake.commands.parsing import Commands, add_file, add_json, command

ROLES = ("trial", "key", "score", "phase")  # of columns


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    _add_eer(commands)
    _add_verify(commands)
    _add_import_checkpoint(commands)
    _add_calibrate(commands)


def _add_eer(commands: Commands) -> None:
    eer = command(
        commands, "eer", _eer, "print the EER of score files, with an interval",
        "codecfake eer results/scores/mel-lcnn/codec/erm/seed1/C1.tsv",
    )  # fmt: skip
    add_file(eer, "scores", "score files, in any supported format", nargs="+")
    add_file(eer, "--speakers", "TSV of trial_id and speaker_id, to resample speakers, not trials")
    add_file(
        eer, "--asv-scores",
        "table of filename, asv-score and asv-label, for a-DCF, t-DCF and t-EER with --metrics asvspoof5",
    )  # fmt: skip
    _add_reading(eer, resamples=1000)
    add_json(eer)


def _add_verify(commands: Commands) -> None:
    verify = command(
        commands, "verify", _verify, "check score files, and published numbers against them",
        "codecfake verify SCORES --published protocols/published/xie2025_table5.tsv",
    )  # fmt: skip
    verify.add_argument(
        "scores", type=Path, help="a folder of score files, in any supported format, or one file", metavar="SCORES"
    )
    add_file(
        verify, "--published", "TSVs of published EERs: condition, value, detector, training, …", nargs="+", default=[]
    )
    add_file(verify, "--folders", "TSV that gives the name in --published of each folder of scores")
    _add_reading(verify, resamples=0)
    add_json(verify)


def _add_reading(parser: argparse.ArgumentParser, resamples: int) -> None:
    add_file(parser, "--protocol", "protocols, for scores without keys that are not of a run", nargs="+", default=[])
    parser.add_argument("--level", type=float, default=0.95, help="confidence level of the intervals")
    parser.add_argument(
        "--resamples", type=count, default=resamples, help="bootstrap resamples for the intervals; 0: exact bounds"
    )
    parser.add_argument(
        "--metrics", choices=("asvspoof5",), help="also print minDCF, actDCF and Cllr as ASVspoof 5 computes them"
    )
    parser.add_argument(
        "--bonafide-digit", choices=("0", "1"),
        help="which of the labels 0 and 1 (or False and True) is bona fide, for files that do not tell",
    )  # fmt: skip
    parser.add_argument(
        "--bonafide-logit", choices=(0, 1), type=int,
        help="which of two logits in a cell, [a, b], is of bona fide speech, for files that do not tell",
    )  # fmt: skip
    parser.add_argument(
        "--phase", choices=("eval", "progress", "hidden_track", "hidden1_PA", "hidden2_PA", "excluded", "all"),
        help="the trials to count of keys with phases, such as those of ASVspoof 2021 (default: eval, as published)",
    )  # fmt: skip
    parser.add_argument(
        "--columns", type=columns, metavar="ROLE=N,…",
        help="columns of score files, from 1, where a file leaves them unclear: trial=1,key=3,score=4",
    )  # fmt: skip
    parser.add_argument("--protocol-columns", type=columns, metavar="ROLE=N,…", help="the same of protocols")


def columns(text: str) -> dict[str, int]:
    """Columns by role, counted from 0, of `trial=1,key=3`."""
    parts = [part.partition("=") for part in text.split(",")]
    wrong = [role for role, _, place in parts if role not in ROLES or not place.isdecimal() or int(place) == 0]
    if wrong:
        raise argparse.ArgumentTypeError(f"{text!r} is not like trial=1,key=3; choose roles from {', '.join(ROLES)}")
    return {role: int(place) - 1 for role, _, place in parts}


def crop(text: str) -> int | str:
    """A number of samples, or `whole`."""
    if text != "whole" and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of samples nor `whole`")
    return text if text == "whole" else int(text)


def _how_to_read(options: argparse.Namespace) -> dict[str, Any]:
    names = ("bonafide_digit", "bonafide_logit", "phase", "columns", "protocol_columns", "metrics")
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _add_import_checkpoint(commands: Commands) -> None:
    parser = command(
        commands, "import-checkpoint", _import_checkpoint, "import released weights of a detector",
        "codecfake import-checkpoint AASIST.pth --detector aasist --output models/aasist",
    )  # fmt: skip
    add_file(parser, "file", "a released .pt, .pth, .ckpt or .safetensors; nothing in it is executed")
    parser.add_argument(
        "--detector", required=True, help="its form: aasist, ssl-aasist, sls, … (`codecfake list checkpoints`)",
        metavar="NAME",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, required=True, help="the model folder to write", metavar="DIR")
    parser.add_argument("--front-end", help="folder or hub id of its front-end; by default the published one")
    parser.add_argument(
        "--crop", type=crop, metavar="SAMPLES",
        help="samples of the clips to score, or `whole` for whole recordings; by default as published",
    )  # fmt: skip
    parser.add_argument(
        "--dilation", type=count, metavar="FRAMES",
        help="of Nes2Net's convolutions, which its file does not show (default: 2, of the speech models)",
    )  # fmt: skip


def _add_calibrate(commands: Commands) -> None:
    calibrate = command(
        commands, "calibrate", _calibrate, "calibrate a model with scores of dev",
        "codecfake calibrate --scores dev.tsv --protocol results/protocols/codec/dev.tsv"
        " --output models/aasist/calibration.json",
    )  # fmt: skip
    add_file(calibrate, "--scores", "scores of dev (TSV)", required=True)
    add_file(calibrate, "--protocol", "the protocol that was scored", required=True)
    add_file(calibrate, "--output", "the JSON file to write: MODEL/calibration.json", required=True)


def _calibrate(options: argparse.Namespace) -> None:
    from codecfake.scoring.verdicts import calibrate

    calibrate(options.scores, options.protocol, options.output)


def _import_checkpoint(options: argparse.Namespace) -> None:
    from codecfake.detectors.released import import_checkpoint

    import_checkpoint(options.file, options.detector, options.output, options.front_end, options.crop, options.dilation)


def _verify(options: argparse.Namespace) -> None:
    from codecfake.verification.ledger import VerifySettings, verify
    from codecfake.verification.rendering import as_json, as_text

    settings = VerifySettings(options.level, options.resamples, **_how_to_read(options))
    ledger = verify(options.scores, options.published, options.protocol, options.folders, settings)
    print(json.dumps(as_json(ledger), indent=2, sort_keys=True) if options.json else as_text(ledger))
    if not ledger.holds:
        sys.exit(1)


def _eer(options: argparse.Namespace) -> None:
    from codecfake.verification.single import EerSettings, answer

    if options.asv_scores and options.metrics is None:
        options.parser.error("--asv-scores has no effect without --metrics asvspoof5; add it")
    settings = EerSettings(options.level, options.resamples, **_how_to_read(options))
    answers = (
        answer(path, options.protocol, options.speakers, settings, options.asv_scores) for path in options.scores
    )
    if options.json:
        print_json(json.dumps({"files": [one.as_json() for one in answers]}, indent=2, ensure_ascii=False))
        return
    for one in answers:
        print(one)
