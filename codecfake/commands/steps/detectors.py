"""Steps with detectors: they fetch front-ends, train, import and calibrate detectors, and score conditions."""

import argparse
from pathlib import Path

from codecfake.base.counts import count
from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, add_job, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    train = step(commands, "train", _train, "train one detector")
    train.add_argument("--train", type=Path, nargs="+", required=True, help="train protocols")
    train.add_argument("--dev", type=Path, nargs="+", required=True, help="dev protocols")
    train.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    train.add_argument("--output", type=Path, required=True, help="the model folder to write")
    train.add_argument("--feature-cache", type=Path, help="folder for features, with cache_features: disk")
    train.add_argument("--feature-cache-gb", type=float, default=float("inf"), help="largest size of one store")

    features = step(commands, "extract-features", _extract_features, "compute the features of one source, for reuse")
    features.add_argument("--protocols", type=Path, nargs="+", required=True, help="protocols with its trials")
    features.add_argument("--corpus", required=True, help="the corpus")
    features.add_argument("--source", required=True, help="the source")
    features.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    features.add_argument("--feature-cache", type=Path, required=True, help="folder for features")
    features.add_argument("--output", type=Path, required=True, help="the TSV file to write, a list of files")

    score = step(commands, "score-conditions", _score_conditions, "score the trials of conditions", settings=False)
    score.add_argument("--model", type=Path, required=True, help="a model folder")
    score.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols, {condition}.tsv")
    score.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    score.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    score.add_argument("--output", type=Path, required=True, help="folder for {condition}.tsv")
    score.add_argument("--kept", type=Path, help="folder of scores by source, for reuse")
    calibrate = _add_released(commands)
    for parser in (train, features, score, calibrate):
        add_job(parser, several_gpus=parser is train)
        parser.add_argument("--workers", type=count, default=0, help="processes that decode audio; 0: this process")


def _add_released(commands: Commands) -> argparse.ArgumentParser:
    """Add the steps with what others have released; returns the one that runs a network."""
    fetch = step(commands, "fetch-detector", _fetch, "find or download a released checkpoint", settings=False)
    fetch.add_argument("form", metavar="FORM", help="of `codecfake list checkpoints`")
    fetch.add_argument("--folder", type=Path, required=True, help="folder of published weights")
    fetch.add_argument("--output", type=Path, required=True, help="folder for the checkpoint and its origin")

    hub = step(commands, "fetch-hub-model", _fetch_hub_model, "download a model of the hub", settings=False)
    hub.add_argument("model", metavar="OWNER/NAME", help="its id")
    hub.add_argument("--output", type=Path, required=True, help="folder for the record of its commit and digests")
    hub.add_argument(
        "--files", nargs="*", default=[], metavar="NAME", help="its files; by default its configuration and weights"
    )

    convert = step(commands, "import-detector", _import, "convert a released checkpoint to a model folder")
    convert.add_argument("--file", type=Path, required=True, help="the checkpoint")
    convert.add_argument("--output", type=Path, required=True, help="the model folder to write")

    calibrate = step(commands, "calibrate-detector", _calibrate, "calibrate a model on a dev list", settings=False)
    calibrate.add_argument("--model", type=Path, required=True, help="a model folder")
    calibrate.add_argument("--dev", type=Path, required=True, help="a dev protocol")
    calibrate.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    calibrate.add_argument("--output", type=Path, required=True, help="folder for calibration.json")
    return calibrate


def _train(options: argparse.Namespace) -> None:
    from codecfake.base import parallel
    from codecfake.base.devices import of_job, prepare_job, use_huge_pages
    from codecfake.features.cache import CachePlace
    from codecfake.training.loop import train
    from codecfake.training.settings import TrainSettings

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(TrainSettings, options.settings)
    place = CachePlace(options.feature_cache, options.feature_cache_gb * 1e9) if options.feature_cache else None
    arguments = {
        "train_tsv": options.train, "dev_tsv": options.dev, "audio_root": options.audio, "output": options.output,
        "settings": settings, "workers": options.workers, "feature_cache": place,
    }  # fmt: skip
    parallel.run(train, arguments, of_job(device, options.gpus))


def _extract_features(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.features.cache import CachePlace
    from codecfake.features.extraction import extract
    from codecfake.features.store_settings import StoreSettings

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    extract(
        options.protocols,
        options.corpus,
        options.source,
        options.audio,
        options.output,
        from_json(StoreSettings, options.settings),
        device,
        options.workers,
        CachePlace(options.feature_cache),
    )


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
        score_store=options.kept,
    )


def _fetch(options: argparse.Namespace) -> None:
    from codecfake.detectors.released_files import fetch

    fetch(options.form, options.folder, options.output)


def _fetch_hub_model(options: argparse.Namespace) -> None:
    from codecfake.base.hub_models import fetch

    fetch(options.model, options.output, options.files)


def _import(options: argparse.Namespace) -> None:
    from codecfake.detectors.import_settings import ImportSettings
    from codecfake.detectors.released import import_checkpoint

    settings = from_json(ImportSettings, options.settings)
    choices = (settings.front_end_weights, settings.crop, settings.dilation)
    import_checkpoint(options.file, settings.form, options.output, *choices)


def _calibrate(options: argparse.Namespace) -> None:
    from codecfake.base.devices import prepare_job, use_huge_pages
    from codecfake.scoring.dev_calibration import calibrate_on

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    calibrate_on(options.model, options.dev, options.audio, options.output, device, options.workers)
