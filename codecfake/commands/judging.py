"""Commands that score audio files with a detector, and evaluate score files."""

import argparse
import json
import sys
from pathlib import Path

from codecfake.commands.parsing import Commands, add_device, command, count


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    _add_score(commands)
    _add_eer(commands)
    _add_verify(commands)
    _add_import_checkpoint(commands)
    _add_calibrate(commands)


def _add_score(commands: Commands) -> None:
    score = command(
        commands, "score", _score, "score audio files with a detector, and decide whether they are bona fide",
        "codecfake score speech.flac folder/ --model results/models/mel-lcnn/codec/erm/seed1",
    )  # fmt: skip
    score.add_argument("files", type=Path, nargs="+", help="audio files, or folders of them", metavar="FILE")
    score.add_argument("--model", type=Path, required=True, help="a model folder, trained or imported", metavar="DIR")
    score.add_argument(
        "--calibration", type=Path, metavar="FILE",
        help="a calibration file; by default the model folder's, if it has one",
    )  # fmt: skip
    score.add_argument(
        "--threshold",
        choices=("llr", "eer", "logits"),
        help="decide by LLR 0 (default with calibration), the EER threshold of dev, or equal logits (default without)",
    )
    score.add_argument(
        "--published",
        choices=("softmax", "logit"),
        help="also print the first window's score as in released code: P(bona fide) of Xie et al., or AASIST's logit",
    )
    score.add_argument("--front-end", help="folder or hub id of the pretrained front-end, if it has moved")
    score.add_argument("--json", action="store_true", help="print one JSON object, with every window's score")
    add_device(score)


def _add_eer(commands: Commands) -> None:
    eer = command(
        commands, "eer", _eer, "print the EER of score files, with an interval",
        "codecfake eer results/scores/mel-lcnn/codec/erm/seed1/C1.tsv --protocol results/protocols/eval/C1.tsv",
    )  # fmt: skip
    eer.add_argument("scores", type=Path, nargs="+", help="score files, in any supported format", metavar="FILE")
    eer.add_argument(
        "--speakers",
        type=Path,
        metavar="FILE",
        help="TSV of trial_id and speaker_id, to resample speakers, not trials",
    )
    _add_reading(eer, resamples=1000)
    eer.add_argument("--json", action="store_true", help="print one JSON object")


def _add_verify(commands: Commands) -> None:
    verify = command(
        commands, "verify", _verify, "check score files, and published numbers against them",
        "codecfake verify SCORES --published protocols/published/xie2025_table5.tsv",
    )  # fmt: skip
    verify.add_argument(
        "scores", type=Path, help="a folder of score files, in any supported format, or one file", metavar="SCORES"
    )
    verify.add_argument(
        "--published", type=Path, nargs="+", default=[], metavar="FILE",
        help="TSVs of published EERs: condition, value, detector, training, …",
    )  # fmt: skip
    verify.add_argument(
        "--folders", type=Path, metavar="FILE", help="TSV that gives the name in --published of each folder of scores"
    )
    _add_reading(verify, resamples=0)
    verify.add_argument("--json", action="store_true", help="print one JSON object")


def _add_reading(parser: argparse.ArgumentParser, resamples: int) -> None:
    parser.add_argument(
        "--protocol",
        type=Path,
        nargs="+",
        default=[],
        help="protocols, for scores without keys",
        metavar="FILE",
    )
    parser.add_argument("--level", type=float, default=0.95, help="confidence level of the intervals")
    parser.add_argument(
        "--resamples", type=count, default=resamples, help="bootstrap resamples for the intervals; 0: exact bounds"
    )
    parser.add_argument(
        "--bonafide-digit", choices=("0", "1"), default="1", help="which of the labels 0 and 1 is bona fide"
    )


def _add_import_checkpoint(commands: Commands) -> None:
    released = command(
        commands, "import-checkpoint", _import_checkpoint, "import released weights of a detector",
        "codecfake import-checkpoint AASIST.pth --detector aasist --output models/aasist",
    )  # fmt: skip
    released.add_argument("file", type=Path, help="a released .pt or .pth; nothing in it is executed", metavar="FILE")
    released.add_argument(
        "--detector", required=True, help="mel-lcnn, w2v2-lcnn, w2v2-aasist, …, aasist, aasist-l", metavar="NAME"
    )
    released.add_argument("--output", type=Path, required=True, help="the model folder to write", metavar="DIR")
    released.add_argument("--front-end", help="folder or hub id of its front-end; by default the published one")


def _add_calibrate(commands: Commands) -> None:
    calibrate = command(
        commands, "calibrate", _calibrate, "calibrate a model with scores of dev",
        "codecfake calibrate --scores dev.tsv --protocol results/protocols/codec/dev.tsv"
        " --output models/aasist/calibration.json",
    )  # fmt: skip
    calibrate.add_argument("--scores", type=Path, required=True, help="scores of dev (TSV)", metavar="FILE")
    calibrate.add_argument("--protocol", type=Path, required=True, help="the protocol that was scored", metavar="FILE")
    calibrate.add_argument(
        "--output", type=Path, required=True, help="the JSON file to write: MODEL/calibration.json", metavar="FILE"
    )


def _calibrate(options: argparse.Namespace) -> None:
    from codecfake.scoring.verdicts import calibrate

    calibrate(options.scores, options.protocol, options.output)


def _score(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare, use_huge_pages
    from codecfake.scoring import judging, verdicts

    paths, others = judging.audio_files(options.files)
    place = options.calibration or options.model / verdicts.CALIBRATION
    dev = verdicts.read(place) if options.calibration or place.is_file() else None
    rule = verdicts.rule(options.threshold, dev, place)
    use_huge_pages()
    device = prepare(options.device, options.threads)
    judge = judging.Judge(options.model, device, options.front_end, options.published)
    outcomes = []
    for outcome in judging.judge_files(judge, paths):
        outcomes.append(outcome)
        if not options.json:
            print(judging.as_line(outcome, rule, dev), flush=True)
    if options.json:
        print(judging.as_json(judge, outcomes, rule, dev))
    else:
        print(judging.summary(judge, outcomes, rule, others))
    if any(isinstance(outcome, judging.Failure) for outcome in outcomes):
        sys.exit(1)


def _import_checkpoint(options: argparse.Namespace) -> None:
    from codecfake.detectors.released import import_checkpoint

    import_checkpoint(options.file, options.detector, options.output, options.front_end)


def _verify(options: argparse.Namespace) -> None:
    from codecfake.verification.ledger import VerifySettings, verify
    from codecfake.verification.rendering import as_json, as_text

    settings = VerifySettings(options.level, options.resamples, options.bonafide_digit)
    ledger = verify(options.scores, options.published, options.protocol, options.folders, settings)
    print(json.dumps(as_json(ledger), indent=2, sort_keys=True) if options.json else as_text(ledger))
    if not ledger.holds:
        sys.exit(1)


def _eer(options: argparse.Namespace) -> None:
    from codecfake.verification.single import EerSettings, answer

    settings = EerSettings(options.level, options.resamples, options.bonafide_digit)
    answers = (answer(path, options.protocol, options.speakers, settings) for path in options.scores)
    if options.json:
        print(json.dumps({"files": [one.as_json() for one in answers]}, indent=2, ensure_ascii=False))
        return
    for one in answers:
        print(one)
