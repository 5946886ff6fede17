"""The later stages in numbers: protocols, quality, audit, training, scoring and the report."""

from collections.abc import Iterator
from itertools import product
from math import ceil
from typing import Any

import pandas as pd

from codecfake.experiment import quality_choice
from codecfake.experiment.schema import Experiment
from codecfake.running.planning.lists import Lists
from codecfake.running.planning.rates import Rates
from codecfake.running.planning.steps import Step
from codecfake.training.strategies import STRATEGIES

HOUR, MB = 3600.0, 1e6
SAMPLE_RATE, CROP_SAMPLES = 16_000, 64_600  # of detectors; the clip that rates are given for
FORWARD_SHARE = 1 / 3  # of the time of a training step: it has one forward pass and a backward one of two
EXPORTS = 2  # of each protocol
TABLES = ("overlap", "duplicates", "twins", "counts", "shortcuts")


class DetectionSteps:
    """The steps after the shards, on a device (`gpu` or `cpu`)."""

    def __init__(self, experiment: Experiment, lists: Lists, rates: Rates, device: str) -> None:
        self._experiment, self._lists, self._rates = experiment, lists, rates
        self._device = device
        self._known: dict[str, tuple[float, float, dict[str, Any]]] = {}

    def steps(self) -> Iterator[Step]:
        yield from self._protocols()
        yield from self._quality()
        yield self._small("audit", "audit", ("results/audit/audit.json", *(f"results/audit/{t}.csv" for t in TABLES)))
        yield self._small("audit", "audit_verdict", ("results/audit/passed.txt",))
        trained = dict.fromkeys(model.split("/")[1] for model in self._experiment.model_names())
        yield Step("training", "check_lists", tuple((f"results/audit/lists/{name}.tsv",) for name in trained))
        yield self._training()
        yield from self._features()
        yield self._scoring()
        yield self._small("evaluation", "tabulate", ("results/tables/eer.csv",), mb="mb.tables")
        yield self._small("report", "report", ("results/report.html",), mb="mb.report")

    def _small(self, stage: str, rule: str, outputs: tuple[str, ...], mb: str = "mb.small") -> Step:
        return Step(stage, rule, (outputs,), gpu_hours=0.0, cpu_hours=None, bytes_out=MB * self._rates[mb])

    # protocols

    def _protocols(self) -> Iterator[Step]:
        domains, conditions = self._experiment.domains, self._experiment.conditions
        parts = [self._lists.of_domain(domain, split) for domain, split in product(domains, ("train", "dev"))]
        judged = [self._lists.of_condition(condition) for condition in conditions]
        yield self._small("protocols", "write_sources", ("results/protocols/sources.tsv",), mb="mb.small")
        yield self._lists_step(
            "write_partition",
            tuple(tuple(f"results/protocols/{domain}/{split}.tsv" for split in ("train", "dev")) for domain in domains),
            parts,
        )
        yield self._lists_step(
            "write_condition", tuple((f"results/protocols/eval/{c}.tsv",) for c in conditions), judged
        )

    def _lists_step(self, rule: str, jobs: tuple[tuple[str, ...], ...], lists: list[pd.DataFrame]) -> Step:
        trials = sum(one["utterances"].sum() for one in lists)
        return Step(
            "protocols", rule, jobs, cpu_hours=trials / self._rates["protocols.cpu"] / HOUR,
            bytes_out=trials * self._rates["bytes.trial"], other_files=EXPORTS * len(lists),
        )  # fmt: skip

    def _quality(self) -> Iterator[Step]:
        sources = quality_choice.sources(self._experiment)
        if sources:
            jobs = tuple((f"results/quality/{source}.tsv",) for source in sources)
            number = len(sources) * self._experiment.quality.utterances
            yield Step(
                "quality", "quality", jobs, cpu_hours=number / self._rates["quality.cpu"] / HOUR,
                bytes_out=number * self._rates["bytes.score"] * 10,
            )  # fmt: skip
            tables = ("results/tables/quality.csv", "results/tables/quality_order.csv")
            yield self._small("quality", "quality_summary", tables)

    # training and scoring

    def _training(self) -> Step:
        names = ("weights.safetensors", "settings.json", "history.tsv", "calibration.json")
        models = self._experiment.model_names()
        sizes = [MB * self._rates[f"weights_mb.{self._parts(model)[1]}"] for model in models]
        hours = sum(self._clips(model) * self._clip_hours(model) for model in models)
        return Step(
            "training", "train_detector",
            tuple(tuple(f"results/models/{model}/{name}" for name in names) for model in models),
            audio_hours_in=hours, bytes_in=hours * self._bytes_an_hour, bytes_out=sum(sizes), other_files=len(models),
            passing_bytes=max(sizes) * self._rates["checkpoint.share"],
            **self._spent(sum(self._training_seconds(model) for model in models)),
        )  # fmt: skip

    @property
    def _bytes_an_hour(self) -> float:
        """Of what lies in shards at the detectors' rate."""
        return HOUR * SAMPLE_RATE * self._rates["bytes.shard.sample"]

    def _clips(self, model: str) -> float:
        """That pass through a model in all epochs of its training."""
        train, dev, settings = self._lengths(model)
        return settings["epochs"] * (train * self._updates(model) + dev)

    def _training_seconds(self, model: str) -> float:
        front_end, back_end = self._parts(model)
        train, dev, settings = self._lengths(model)
        trained = train * self._updates(model)
        features = 1 / self._rates[f"features.{front_end}.{self._device}"]
        step = 1 / self._rates[f"train.{_kind(front_end)}-{back_end}.{self._device}"]
        passes = 1 if STRATEGIES[settings["strategy"]].update == "base" else 2
        often = settings["epochs"] if settings.get("cache_features", False) in (False, "none") else 1
        each = trained * step * passes + dev * step * FORWARD_SHARE
        return (often * (trained + dev) * features + settings["epochs"] * each) * self._length(settings)

    def _scoring(self) -> Step:
        models, conditions = self._experiment.model_names(), self._experiment.conditions
        judged = self._lists.judged()["utterances"].sum()
        hours = sum(judged * self._clip_hours(model) for model in models)
        written = sum(self._lists.of_condition(condition)["utterances"].sum() for condition in conditions)
        return Step(
            "evaluation", "score",
            tuple(tuple(f"results/scores/{model}/{condition}.tsv" for condition in conditions) for model in models),
            audio_hours_in=hours, bytes_in=hours * self._bytes_an_hour,
            bytes_out=len(models) * (written + judged) * self._rates["bytes.score"],  # and kept by source
            **self._spent(sum(judged * self._seconds_a_score(model) for model in models)),
        )  # fmt: skip

    def _seconds_a_score(self, model: str) -> float:
        front_end, back_end = self._parts(model)
        features = 1 / self._rates[f"features.{front_end}.{self._device}"]
        forward = FORWARD_SHARE / self._rates[f"train.{_kind(front_end)}-{back_end}.{self._device}"]
        return (features + forward) * self._length(self._lengths(model)[2])

    def _features(self) -> Iterator[Step]:
        """What `cache_features: disk` keeps: the features of each training set by each front-end, once."""
        kept = {}
        for model in self._experiment.model_names():
            train, dev, settings = self._lengths(model)
            if settings.get("cache_features") == "disk":
                front_end = repr(settings["detector"]["front_end"])
                num_bytes = (train + dev) * self._rates["bytes.features"] * self._length(settings)
                kept[front_end, model.split("/")[1]] = num_bytes
        if kept:
            yield Step("training", "(features kept)", (), bytes_out=sum(kept.values()), other_files=8 * len(kept))

    def _lengths(self, model: str) -> tuple[float, float, dict[str, Any]]:
        """Numbers of train and dev trials of a model, and its settings."""
        if model not in self._known:
            self._known[model] = self._counted(model)
        return self._known[model]

    def _counted(self, model: str) -> tuple[float, float, dict[str, Any]]:
        detector, training_set, strategy, seed = model.split("/")
        settings = self._experiment.train_settings(detector, training_set, strategy, int(seed.removeprefix("seed")))
        train, dev = (self._lists.of_training_set(training_set, s)["utterances"].sum() for s in ("train", "dev"))
        return float(train), float(dev), settings

    def _updates(self, model: str) -> float:
        """Epochs of the strategy's own length (`match: epochs`), in those of ERM."""
        train, _, settings = self._lengths(model)
        sampler = STRATEGIES[settings["strategy"]].sampler
        if settings.get("match") != "epochs" or sampler != "co_training_released":
            return 1.0
        domains = self._experiment.training_sets[model.split("/")[1]].domains
        largest = max(self._lists.of_domain(domain, "train")["utterances"].sum() for domain in domains)
        batch_size = settings.get("batch_size", 128)
        return len(domains) * ceil(largest / batch_size) / ceil(train / batch_size)

    def _parts(self, model: str) -> tuple[str, str]:
        detector = self._experiment.detectors[model.split("/")[0]]
        return detector["front_end"]["name"], detector["back_end"]["name"]

    def _clip_hours(self, model: str) -> float:
        return self._lengths(model)[2].get("crop_samples", CROP_SAMPLES) / SAMPLE_RATE / HOUR

    def _length(self, settings: dict[str, Any]) -> float:
        """Of a clip, in those that rates are given for."""
        return float(settings.get("crop_samples", CROP_SAMPLES)) / CROP_SAMPLES

    def _spent(self, seconds: float) -> dict[str, Any]:
        return {"gpu_hours" if self._device == "gpu" else "cpu_hours": seconds / HOUR}


def _kind(front_end: str) -> str:
    """Back-ends cost the same behind both self-supervised front-ends, whose features have one shape."""
    return "ssl" if front_end in ("wav2vec2", "wavlm") else front_end
