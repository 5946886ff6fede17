"""The first stages in numbers: corpora, codec weights, and audio shards."""

from collections.abc import Iterator
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import codec_wrappers
from codecfake.base.utterances import BONAFIDE
from codecfake.experiment.schema import Codec, Experiment, laid_over
from codecfake.experiment.weights import Official
from codecfake.protocols.lists import RECORDINGS
from codecfake.running.planning.corpus_counts import Holdings
from codecfake.running.planning.rates import Rates
from codecfake.running.planning.steps import Outputs, Step

HOUR, MB = 3600.0, 1e6
NATIVE = "native"
# settings of a codec's `model` that leave it the size it is published in; with any other it is one of the user's own
OF_PUBLISHED_SIZE = frozenset({"remainder", "sample_rate", "mode", "decoder", "form", "architecture"})
OWN = "own"
RECIPES = Path(__file__).parents[3] / "codec_wrappers" / "training" / "recipes.yaml"


class AudioSteps:
    """The steps up to the shards, on a device (`gpu` or `cpu`)."""

    def __init__(self, experiment: Experiment, holdings: Holdings, rates: Rates, device: str) -> None:
        self._experiment, self._holdings, self._rates, self._device = experiment, holdings, rates, device

    def steps(self) -> Iterator[Step]:
        yield from self._demo()
        yield self._ingest()
        yield from self._fetch()
        if self._trained:
            yield self._codec_training()
        yield self._record()
        for codec in self._experiment.codecs_run():
            yield self._resynthesis(codec)
        yield self._lists()

    def shard_bytes(self, counts: pd.DataFrame, sample_rate: int | None) -> float:
        """Of tars and indexes with the recordings counted, at a rate or (None) at their own."""
        samples = counts["samples"].sum() if sample_rate is None else counts["seconds"].sum() * sample_rate
        per_utterance = self._rates["bytes.shard.utterance"]
        return float(samples * self._rates["bytes.shard.sample"] + counts["utterances"].sum() * per_utterance)

    def source_bytes(self, source: str, counts: pd.DataFrame) -> float:
        """The same of a source's audio, at the experiment's rate."""
        if self._experiment.audio.sample_rate != NATIVE:
            return self.shard_bytes(counts, int(self._experiment.audio.sample_rate))
        if source == RECORDINGS:
            return self.shard_bytes(counts, None)
        return self.shard_bytes(counts, self._codec_rate(self._experiment.codecs[self._experiment.codec_of(source)]))

    def bonafide(self, corpus: str) -> pd.DataFrame:
        counts = self._holdings.of(corpus)
        return counts[counts["key"] == BONAFIDE]

    @cached_property
    def _trained(self) -> list[str]:
        return [codec for codec in self._experiment.codecs_run() if self._experiment.is_trained(codec)]

    @property
    def _trained_on(self) -> list[str]:
        training = self._experiment.codec_training
        return training.corpora if training is not None and self._trained else []

    def _demo(self) -> Iterator[Step]:
        made = [name for name, corpus in self._experiment.corpora.items() if corpus.demo]
        if made:
            counts = pd.concat([self._holdings.of(corpus) for corpus in made])
            hours = counts["seconds"].sum() / HOUR
            yield Step(
                "corpora", "synthesize_demo", (("results/demo/SHA256SUMS",),),
                audio_hours_out=hours, cpu_hours=hours / self._rates["synthesize.cpu"],
                bytes_out=counts["file_bytes"].sum(), other_files=2 * int(counts["utterances"].sum()),
            )  # fmt: skip

    def _ingest(self) -> Step:
        corpora = list(self._experiment.corpora)
        counts = pd.concat([self._holdings.of(corpus) for corpus in corpora])
        hours = counts["seconds"].sum() / HOUR
        return Step(
            "corpora", "ingest_corpus",
            tuple((f"results/corpora/{c}/utterances.parquet", f"results/corpora/{c}/rejected.tsv") for c in corpora),
            audio_hours_in=hours, cpu_hours=hours / self._rates["ingest.cpu"], bytes_in=counts["file_bytes"].sum(),
            bytes_out=counts["utterances"].sum() * self._rates["bytes.utterance"],
        )  # fmt: skip

    def _fetch(self) -> Iterator[Step]:
        weights = {codec: self._experiment.codecs[codec].weights for codec in self._experiment.codecs_run()}
        for checkpoint in self._experiment.checkpoints_run():
            codec = next(name for name, given in weights.items() if given == Official(checkpoint))
            # once as downloaded (into the weights folder, which may lie elsewhere), once as converted
            num_bytes = 2 * MB * self._rates[f"weights_mb.{self._experiment.codecs[codec].wrapper}"]
            outputs = (f"results/weights/{checkpoint}/provenance.json",)
            yield Step("codec weights", f"fetch_{checkpoint}", (outputs,), bytes_out=num_bytes, other_files=3)

    def _codec_training(self) -> Step:
        segments = {codec: self._segments(codec) for codec in self._trained}
        seconds = {codec: number * duration for codec, (number, duration) in segments.items()}
        heard = pd.concat([self.bonafide(corpus) for corpus in self._trained_on])
        recording = self.shard_bytes(heard, None) / heard["utterances"].sum()  # is read whole for every segment
        kinds = {codec: _kind(self._experiment.codecs[codec]) for codec in self._trained}
        spent = sum(s / self._rates[f"codec_training.{kinds[c]}.{self._device}"] for c, s in seconds.items()) / HOUR
        sizes = [MB * self._rates[f"weights_mb.{kind}"] for kind in kinds.values()]
        names = ("weights.safetensors", "history.tsv", "quality.tsv", "settings.json")
        return Step(
            "codec weights", "train_codec",
            tuple(tuple(f"results/codecs/{codec}/{name}" for name in names) for codec in self._trained),
            audio_hours_in=sum(seconds.values()) / HOUR,
            bytes_in=recording * sum(number for number, _ in segments.values()),
            bytes_out=sum(sizes), other_files=len(sizes),
            passing_bytes=max(sizes) * self._rates["checkpoint.share"], **self._spent(spent),
        )  # fmt: skip

    def _segments(self, codec: str) -> tuple[float, float]:
        """How many segments a codec is trained on in all batches, and how long each is in seconds."""
        asked = self._experiment.codec_training_settings(codec)
        recipes: dict[str, dict[str, Any]] = yaml.safe_load(RECIPES.read_text(encoding="utf-8"))
        recipe = laid_over(recipes[asked.get("recipe") or asked["wrapper"]], asked.get("changes", {}))
        return float(recipe["steps"] * recipe["batch_size"]), float(recipe["segment_duration"])

    def _record(self) -> Step:
        recorded = [corpus for corpus, source in self._experiment.all_audio() if source == RECORDINGS]
        whole = [self._holdings.of(corpus) for corpus in recorded]
        native = [self.bonafide(corpus) for corpus in self._trained_on]
        counts = pd.concat([*whole, *native])
        hours = counts["seconds"].sum() / HOUR
        num_bytes = sum(self.source_bytes(RECORDINGS, one) for one in whole)
        return Step(
            "resynthesis", "record",
            (*self._shards(recorded, [RECORDINGS]), *self._shards(self._trained_on, [NATIVE])),
            audio_hours_in=hours, audio_hours_out=hours, cpu_hours=hours / self._rates["record.cpu"],
            bytes_in=counts["file_bytes"].sum(),
            bytes_out=num_bytes + sum(self.shard_bytes(one, None) for one in native),
        )  # fmt: skip

    def _lists(self) -> Step:
        heard = [*self._experiment.all_audio(), *product(self._trained_on, [NATIVE])]
        return Step("resynthesis", "list_shards", tuple((f"results/audio/{c}/{s}/shards.tsv",) for c, s in heard))

    def _resynthesis(self, name: str) -> Step:
        codec = self._experiment.codecs[name]
        sources = list(codec.generated())
        needed = {corpus for corpus, source in self._experiment.all_audio() if source in sources}
        corpora = [corpus for corpus in self._experiment.corpora if corpus in needed]
        counts = pd.concat([self.bonafide(corpus) for corpus in corpora])
        hours = counts["seconds"].sum() / HOUR
        device = "cpu" if codec_wrappers.entry(codec.wrapper).device == "cpu" else self._device
        passes = 1 + (len(sources) - 1) * self._rates["resynthesis.further_source"]
        spent = hours * passes / self._rates[f"resynthesis.{_kind(codec)}.{device}"]
        return Step(
            "resynthesis", f"resynthesize_{name}", self._shards(corpora, sources),
            audio_hours_in=hours, audio_hours_out=hours * len(sources), bytes_in=counts["file_bytes"].sum(),
            bytes_out=sum(self.source_bytes(source, counts) for source in sources),
            **(self._spent(spent) if device != "cpu" else {"cpu_hours": spent}),
        )  # fmt: skip

    def _shards(self, corpora: list[str], sources: list[str]) -> tuple[Outputs, ...]:
        """The outputs of each job: one shard of all sources."""
        jobs = ((corpus, number) for corpus in corpora for number in range(self._experiment.corpora[corpus].shards))
        return tuple(
            tuple(f"results/audio/{c}/{s}/{n:04d}.{kind}" for s, kind in product(sources, ("tar", "parquet")))
            for c, n in jobs
        )

    def _codec_rate(self, codec: Codec) -> int:
        return int(codec.model.get("sample_rate", self._rates[f"sample_rate.{codec.wrapper}"]))

    def _spent(self, hours: float) -> dict[str, Any]:
        return {"gpu_hours" if self._device == "gpu" else "cpu_hours": hours}


def _kind(codec: Codec) -> str:
    """What rates of a codec are named by: its wrapper, if it has its published size."""
    return codec.wrapper if set(codec.model) <= OF_PUBLISHED_SIZE else OWN
