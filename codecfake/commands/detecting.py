"""Commands with a detector: training, scores, verdicts on files of one's own."""

import argparse
import os
import sys
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, command, count


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    train = command(commands, "train", _train, "train one detector")
    train.add_argument("--train", type=Path, nargs="+", required=True, help="train protocols")
    train.add_argument("--dev", type=Path, nargs="+", required=True, help="dev protocols")
    train.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    train.add_argument("--output", type=Path, required=True)
    train.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--feature-cache", type=Path, help="folder for features, with cache_features: disk")
    train.add_argument("--feature-cache-gb", type=float, default=float("inf"), help="how much one cache may take there")

    score = command(commands, "score-conditions", _score_conditions, "score the trials of conditions", settings=False)
    score.add_argument("--model", type=Path, required=True)
    score.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols, {condition}.tsv")
    score.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    score.add_argument("--audio", type=Path, required=True)
    score.add_argument("--output", type=Path, required=True, help="folder for {condition}.tsv")
    score.add_argument("--kept", type=Path, help="folder where scores are kept by source, for the next time")
    score.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    score.add_argument("--threads", type=int, default=1)
    for parser_ in (train, score):
        parser_.add_argument("--gpus", type=int, choices=(0, 1), help="GPUs that the workflow gives this job")
        parser_.add_argument("--workers", type=count, default=0, help="processes that decode audio; 0: this one does")

    calibrate = command(commands, "calibrate", _calibrate, "calibrate a model by scores of dev", settings=False)
    calibrate.add_argument("--scores", type=Path, required=True, help="the TSV that score-conditions wrote of dev")
    calibrate.add_argument("--protocol", type=Path, required=True, help="the protocol that was scored")
    calibrate.add_argument("--output", type=Path, required=True, help="the JSON to write: MODEL/calibration.json")
    _add_for_files(commands)


def _add_for_files(commands: Commands) -> None:
    judge = command(commands, "score", _score, "score and judge audio files of any kind", settings=False)
    judge.add_argument("files", type=Path, nargs="+", help="audio files, or folders of them", metavar="FILE")
    judge.add_argument("--model", type=Path, required=True, help="a model folder, trained or imported")
    judge.add_argument("--calibration", type=Path, help="a calibration; by default the model folder's, if it has one")
    judge.add_argument(
        "--threshold",
        choices=("llr", "eer", "logits"),
        help="judge by LLR 0 (with a calibration the default), the EER threshold of dev, or equal logits (without one)",
    )
    judge.add_argument(
        "--published",
        choices=("softmax", "logit"),
        help="give the first window's score as released code does, too: P(bona fide) of Xie et al., or AASIST's logit",
    )
    judge.add_argument("--front-end", help="folder or hub id of the pretrained front-end, if not that of training")
    judge.add_argument("--json", action="store_true", help="print one JSON object, with every window's score")
    judge.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    judge.add_argument("--threads", type=int, default=os.cpu_count() or 1)

    released = command(commands, "import-checkpoint", _import_checkpoint, "import released weights", settings=False)
    released.add_argument("file", type=Path, help="a released .pt or .pth; nothing of it is executed", metavar="FILE")
    released.add_argument("--detector", required=True, help="mel-lcnn, w2v2-lcnn, w2v2-aasist, …, aasist, aasist-l")
    released.add_argument("--output", type=Path, required=True, help="the model folder to write")
    released.add_argument("--front-end", help="folder or hub id of its pretrained front-end; by default the published")


def _train(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.features.cache import CachePlace
    from codecfake.training.loop import train
    from codecfake.training.settings import TrainSettings

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(TrainSettings, options.settings)
    place = CachePlace(options.feature_cache, options.feature_cache_gb * 1e9) if options.feature_cache else None
    train(options.train, options.dev, options.audio, options.output, settings, device, options.workers, place)


def _score_conditions(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.scoring.conditions import score

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    score(
        options.model,
        options.protocols,
        options.audio,
        options.output,
        device,
        options.trained_on,
        workers=options.workers,
        kept=options.kept,
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
