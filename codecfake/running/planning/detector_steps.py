"""The later stages in numbers: protocols, quality, audit, training, scoring and the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from codecfake.base import plugins
from codecfake.experiment import quality_choice
from codecfake.running.planning.basis import Basis
from codecfake.running.planning.steps import HOUR, MB, Outputs, Step, add, most
from codecfake.training.strategies import strategy_of

SAMPLE_RATE, CROP_SAMPLES = 16_000, 64_600  # of detectors; rates are for clips of this length
FORWARD_SHARE = 1 / 3  # of the time of a training step: a backward pass takes as long as two forward passes
EXPORTS = 2  # of each protocol
TABLES = ("overlap", "duplicates", "twins", "counts", "shortcuts")
MODEL_FILES = ("weights.safetensors", "settings.json", "history.tsv", "calibration.json")


def steps(basis: Basis) -> Iterator[Step]:
    """The steps after the shards."""
    yield from _protocols(basis)
    yield from _quality(basis)
    yield basis.small("audit", "audit", ("results/audit/audit.json", *(f"results/audit/{t}.csv" for t in TABLES)))
    yield basis.small("audit", "audit_verdict", ("results/audit/passed.txt",))
    models = [_model(basis, name) for name in basis.experiment.model_names()]
    trained = dict.fromkeys(model.training_set for model in models)
    yield Step("training", "check_lists", tuple((f"results/audit/lists/{name}.tsv",) for name in trained))
    yield _training(basis, models)
    yield from _features(basis, models)
    yield _scoring(basis, models)
    yield basis.small("evaluation", "tabulate", ("results/tables/eer.csv",), mb="mb.tables")
    yield basis.small("report", "report", ("results/report.html",), mb="mb.report")


# protocols


def _protocols(basis: Basis) -> Iterator[Step]:
    domains, conditions = basis.experiment.domains, basis.experiment.conditions
    partitions = [basis.trials.of_domain(domain, split) for domain, split in product(domains, ("train", "dev"))]
    evaluated = [basis.trials.of_condition(condition) for condition in conditions]
    yield basis.small("protocols", "write_sources", ("results/protocols/sources.tsv",))
    jobs = tuple(tuple(f"results/protocols/{domain}/{split}.tsv" for split in ("train", "dev")) for domain in domains)
    yield _lists(basis, "write_partition", jobs, partitions)
    yield _lists(basis, "write_condition", tuple((f"results/protocols/eval/{c}.tsv",) for c in conditions), evaluated)


def _lists(basis: Basis, rule: str, jobs: tuple[Outputs, ...], lists: list[pd.DataFrame]) -> Step:
    trials = add(_number(one) for one in lists)
    return Step(
        "protocols", rule, jobs, cpu_hours=trials / basis.rates["protocols.cpu"] / HOUR,
        bytes_out=trials * basis.rates["bytes.trial"], other_files=EXPORTS * len(lists),
    )  # fmt: skip


def _quality(basis: Basis) -> Iterator[Step]:
    sources = quality_choice.sources(basis.experiment)
    if sources:
        jobs = tuple((f"results/quality/{source}.tsv",) for source in sources)
        number = len(sources) * basis.experiment.quality.utterances
        yield Step(
            "quality", "quality", jobs, cpu_hours=number / basis.rates["quality.cpu"] / HOUR,
            bytes_out=number * basis.rates["bytes.score"] * 10,
        )  # fmt: skip
        tables = ("results/tables/quality.csv", "results/tables/quality_order.csv")
        yield basis.small("quality", "quality_summary", tables)


# training and scoring


@dataclass(frozen=True)
class Model:
    """A model to train, with its numbers of trials and the time per clip."""

    name: str
    training_set: str
    settings: dict[str, Any]
    train: float
    dev: float
    updates: float  # in an epoch of the strategy's own length, relative to ERM
    passes: float  # forward and backward passes of an update
    feature_seconds: float  # per clip
    step_seconds: float  # per clip in training
    weights_bytes: float

    @property
    def length(self) -> float:
        """The length of its clips, relative to those that rates are for."""
        return float(self.settings.get("crop_samples", CROP_SAMPLES)) / CROP_SAMPLES

    @property
    def clip_hours(self) -> float:
        return self.length * CROP_SAMPLES / SAMPLE_RATE / HOUR

    @property
    def training_clips(self) -> float:
        return float(self.settings["epochs"] * (self.train * self.updates + self.dev))

    @property
    def training_seconds(self) -> float:
        trained, epochs = self.train * self.updates, self.settings["epochs"]
        computed = epochs if self.settings.get("cache_features", False) in (False, "none") else 1
        each = trained * self.step_seconds * self.passes + self.dev * self.step_seconds * FORWARD_SHARE
        return float((computed * (trained + self.dev) * self.feature_seconds + epochs * each) * self.length)

    @property
    def seconds_a_score(self) -> float:
        return (self.feature_seconds + FORWARD_SHARE * self.step_seconds) * self.length


def _model(basis: Basis, name: str) -> Model:
    detector, training_set, strategy, seed = name.split("/")
    settings = basis.experiment.train_settings(detector, training_set, strategy, int(seed.removeprefix("seed")))
    train, dev = (_number(basis.trials.of_training_set(training_set, split)) for split in ("train", "dev"))
    front_end, kind, back_end = _rate_names(detector, settings["detector"])
    return Model(
        name, training_set, settings, train, dev,
        updates=_updates(basis, training_set, settings, train),
        passes=1.0 if strategy_of(strategy, settings["strategy_settings"]).update == "base" else 2.0,
        feature_seconds=1 / basis.rates[f"features.{front_end}.{basis.device}"],
        step_seconds=1 / basis.rates[f"train.{kind}-{back_end}.{basis.device}"],
        weights_bytes=MB * basis.rates[f"weights_mb.{back_end}"],
    )  # fmt: skip


def _rate_names(detector: str, parts: Mapping[str, Any]) -> tuple[str, str, str]:
    """The names of a front-end, its outputs and a back-end in rates.

    A part outside the package has the detector's name. Back-ends cost the same behind both self-supervised front-ends,
    whose features have the same shape.
    """
    names = (parts["front_end"]["name"], parts["back_end"]["name"])
    front_end, back_end = (detector if plugins.is_outside(name) else name for name in names)
    return front_end, "ssl" if front_end in ("wav2vec2", "wavlm") else front_end, back_end


def _updates(basis: Basis, training_set: str, settings: Mapping[str, Any], train: float) -> float:
    sampler = strategy_of(settings["strategy"], settings["strategy_settings"]).sampler
    if settings.get("match") != "epochs" or sampler != "co_training_released":
        return 1.0
    domains = basis.experiment.training_sets[training_set].domains
    largest = most(_number(basis.trials.of_domain(domain, "train")) for domain in domains)
    batch_size = settings.get("batch_size", 128)
    return float(len(domains) * np.ceil(largest / batch_size) / np.ceil(train / batch_size))


def _training(basis: Basis, models: list[Model]) -> Step:
    sizes = [model.weights_bytes for model in models]
    hours = add(model.training_clips * model.clip_hours for model in models)
    return Step(
        "training", "train_detector",
        tuple(tuple(f"results/models/{model.name}/{name}" for name in MODEL_FILES) for model in models),
        audio_hours_in=hours, bytes_in=hours * _bytes_an_hour(basis), bytes_out=add(sizes), other_files=len(models),
        passing_bytes=most(sizes) * basis.rates["checkpoint.share"],
        **basis.network_hours(add(model.training_seconds for model in models) / HOUR),
    )  # fmt: skip


def _features(basis: Basis, models: list[Model]) -> Iterator[Step]:
    """The files of `cache_features: disk`: the features of each training set by each front-end, once."""
    caches = {
        (repr(model.settings["detector"]["front_end"]), model.training_set): (model.train + model.dev) * model.length
        for model in models
        if model.settings.get("cache_features") == "disk"
    }
    if caches:
        num_bytes = add(caches.values()) * basis.rates["bytes.features"]
        yield Step("training", "(features kept)", (), bytes_out=num_bytes, other_files=8 * len(caches))


def _scoring(basis: Basis, models: list[Model]) -> Step:
    conditions = basis.experiment.conditions
    clips = _number(basis.trials.evaluated())
    hours = add(clips * model.clip_hours for model in models)
    rows = add(_number(basis.trials.of_condition(condition)) for condition in conditions)
    return Step(
        "evaluation", "score",
        tuple(tuple(f"results/scores/{model.name}/{name}.tsv" for name in conditions) for model in models),
        audio_hours_in=hours, bytes_in=hours * _bytes_an_hour(basis),
        bytes_out=len(models) * (rows + clips) * basis.rates["bytes.score"],  # by condition, and by source
        **basis.network_hours(add(clips * model.seconds_a_score for model in models) / HOUR),
    )  # fmt: skip


def _bytes_an_hour(basis: Basis) -> float:
    """Of audio in shards at the detectors' sample rate."""
    return HOUR * SAMPLE_RATE * basis.rates["bytes.shard.sample"]


def _number(trials: pd.DataFrame) -> float:
    return add(trials["utterances"])
