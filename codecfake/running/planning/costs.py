"""The cost of jobs: one method per rule, as in `Jobs`, with one line for each number."""

from dataclasses import dataclass, replace
from math import nan
from typing import Any

import pandas as pd

import codec_wrappers
from codec_wrappers import rate_part
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.weights import checkpoints
from codecfake import generators
from codecfake.audio.settings import NATIVE
from codecfake.base.utterances import RESYNTHESIZE
from codecfake.detectors import released_files
from codecfake.detectors.released_forms import is_released
from codecfake.experiment import released
from codecfake.experiment.feature_stores import domains_with
from codecfake.experiment.jobs import JobName
from codecfake.features.settings import DISK, NONE
from codecfake.generators import rates as generator_rates
from codecfake.running.planning.clip_settings import ClipSettings
from codecfake.running.planning.counts import HOUR, hours_of, reads, sum_of
from codecfake.running.planning.light_jobs import MINUTES, NOTHING
from codecfake.running.planning.numbers import MB, SAMPLE_RATE, Numbers
from codecfake.running.planning.shard_rates import shard_rate
from codecfake.running.planning.steps import Amount, Cost, amount, largest
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import strategy_of

FORWARD_SHARE = 1 / 3  # of the time of a training step: a backward pass takes as long as two forward passes
EXPORTS = 2  # of each protocol


@dataclass(frozen=True)
class Costs(Numbers):
    """The cost of an experiment's jobs, with networks on a device."""

    def of(self, job: JobName) -> Cost:
        """The cost of one job, or of the jobs for all shards of a corpus."""
        rule, wildcards = job
        if rule in MINUTES:
            return Cost(cpu_hours=amount(nan), bytes_out=self._size(MINUTES[rule]))
        cost: Cost = Cost() if rule in NOTHING else getattr(self, rule)(*wildcards)
        return cost

    # corpora and audio

    def synthesize_demo(self) -> Cost:
        speech = self.counts.pool([name for name, corpus in self.experiment.corpora.items() if corpus.demo], None)
        return Cost(
            audio_hours_out=hours_of(speech),
            cpu_hours=hours_of(speech) / self.rate_table["synthesize.cpu"],
            bytes_out=sum_of(speech, "file_bytes"),
            other_files=2 * int(sum_of(speech).least),
        )

    def ingest_corpus(self, corpus: str) -> Cost:
        speech = self.counts.pool([corpus], None)
        return Cost(
            **reads(speech),
            cpu_hours=hours_of(speech) / self.rate_table["ingest.cpu"],
            bytes_out=sum_of(speech) * self.rate_table["bytes.utterance"],
        )

    def fetch(self, checkpoint: str) -> Cost:
        # once as downloaded (into the weights folder, which may be on another disk), once converted
        return Cost(bytes_out=self._size(f"weights_mb.{checkpoints.find(checkpoint).wrapper}") * 2, other_files=3)

    def train_codec(self, codec: str) -> Cost:
        settings = self.jobs.train_codec(codec).settings
        recipe, speech = settings.resolved(), self._bonafide(settings.corpora)
        part = rate_part(codec, settings.wrapper, settings.model)
        segments = float(recipe.steps * recipe.batch_size)
        seconds = amount(segments * recipe.segment_duration)
        recording = self._shard_bytes(speech, NATIVE) / (sum_of(speech).least or 1)  # read whole for every segment
        return Cost(
            audio_hours_in=seconds / HOUR,
            bytes_in=recording * segments,
            **self._weights(self._size(f"weights_mb.{part}")),
            **self._network(seconds / self.rate_table.at(f"codec_training.{part}.{self.device}", settings.precision)),
        )

    def record(self, corpus: str, source: str) -> Cost:
        settings = self.jobs.record(corpus, source).settings
        speech = self._bonafide([corpus]) if settings.bonafide_only else self.counts.pool([corpus], None)
        return Cost(
            **reads(speech),
            audio_hours_out=hours_of(speech),
            cpu_hours=hours_of(speech) / self.rate_table["record.cpu"],
            bytes_out=self._shard_bytes(speech, settings.sample_rate),
        )

    def resynthesize(self, codec: str, corpus: str) -> Cost:
        settings, speech = self.jobs.resynthesize(codec, corpus).settings, self.counts.pool([corpus], None)
        speech = speech[speech["key"].isin(RESYNTHESIZE[settings.resynthesize])]
        return Cost(**reads(speech), **self._through(settings, speech))

    def _through(self, settings: ResynthesisSettings, speech: pd.DataFrame) -> dict[str, Any]:
        part, num_sources = rate_part(settings.codec, settings.wrapper, settings.model), len(settings.sources)
        device = "cpu" if codec_wrappers.entry(settings.wrapper).device == "cpu" else self.device
        passes = 1 + (num_sources - 1) * self.rate_table["resynthesis.further_source"]
        rate = self.rate_table.at(f"resynthesis.{part}.{device}", settings.decoder_precision)
        return {
            "audio_hours_out": hours_of(speech) * num_sources,
            "bytes_out": self._shard_bytes(speech, shard_rate(settings)) * num_sources,
        } | self._network(sum_of(speech, "seconds") * passes / rate, device)

    def splice(self, corpus: str, source: str) -> Cost:
        counts = self.counts.pool([corpus], None)
        speech = counts[counts["key"].isin(RESYNTHESIZE[self.experiment.corpora[corpus].resynthesize])]
        return Cost(
            audio_hours_in=hours_of(speech) * 2,
            audio_hours_out=hours_of(speech),
            cpu_hours=hours_of(speech) / self.rate_table["record.cpu"],
            bytes_out=self._shard_bytes(speech, self.experiment.audio.sample_rate),
        )

    def degrade(self, corpus: str, base: str, degradation: str) -> Cost:
        speech = self.degraded_speech(corpus, [degradation])
        return Cost(
            audio_hours_in=hours_of(speech),
            audio_hours_out=hours_of(speech),
            cpu_hours=hours_of(speech) / self.rate_table["degrade.cpu"],
            bytes_out=self._shard_bytes(speech, SAMPLE_RATE),
        )

    def degrade_through(self, codec: str, corpus: str, base: str) -> Cost:
        settings = self.jobs.degrade_through(codec, corpus, base).settings
        speech = self.degraded_speech(corpus, settings.steps)
        return Cost(audio_hours_in=hours_of(speech), **self._through(settings.resynthesis, speech))

    def write_generation_list(self, corpus: str) -> Cost:
        texts = sum_of(self.counts.pool([corpus], None))
        return Cost(
            cpu_hours=texts / self.rate_table["generation_list.cpu"] / HOUR,
            bytes_out=texts * self.rate_table["bytes.utterance"] * 2,  # with the text of the prompt
        )

    def generate(self, corpus: str) -> Cost:
        settings, fakes = self.jobs.generate(corpus).settings, self.counts.pool([corpus], None)
        generator = settings.generator
        part = generator_rates.rate_part(corpus, generator["generator"], generator["model"])
        rate = self.rate_table[f"generation.{part}.{self.device}"]
        own = generators.entry(generator["generator"]).sample_rate
        return Cost(
            audio_hours_out=hours_of(fakes),
            bytes_out=self._shard_bytes(fakes, settings.rate(own or SAMPLE_RATE)),
            **self._network(sum_of(fakes, "seconds") / rate),
        )

    def list_generated(self, corpus: str) -> Cost:
        return Cost(bytes_out=sum_of(self.counts.pool([corpus], None)) * self.rate_table["bytes.utterance"])

    # protocols and quality

    def write_partition(self, domain: str) -> Cost:
        return self._lists(self.trials_of_domain(domain, "train"), self.trials_of_domain(domain, "dev"))

    def write_condition(self, condition: str) -> Cost:
        return self._lists(self.trials_of_condition(condition))

    def _lists(self, *tables: pd.DataFrame) -> Cost:
        trials = sum_of(pd.concat(tables))
        return Cost(
            cpu_hours=trials / self.rate_table["protocols.cpu"] / HOUR,
            bytes_out=trials * self.rate_table["bytes.trial"],
            other_files=EXPORTS * len(tables),
        )

    def quality(self, codec: str) -> Cost:
        settings = self.jobs.quality(codec).settings
        utterances = amount(settings.utterances * len(settings.sources))
        return Cost(
            cpu_hours=utterances / self.rate_table["quality.cpu"] / HOUR,
            bytes_out=utterances * self.rate_table["bytes.score"] * 10,
        )

    def measure_generated(self, corpus: str) -> Cost:
        fakes = self.counts.pool([corpus], None)
        cpu_hours = hours_of(fakes) / self.rate_table["ingest.cpu"]
        return Cost(cpu_hours=cpu_hours, bytes_out=sum_of(fakes) * self.rate_table["bytes.score"] * 2)

    # detectors

    def extract_features(self, store: str, corpus: str, source: str) -> Cost:
        one = self.jobs.stores[store]
        clips = self.number_of_source(domains_with(self.experiment, corpus, source), corpus, source)
        return Cost(
            **self._clips(clips, one.training),
            bytes_out=clips * self._feature_bytes(one.training),
            other_files=2 * self.experiment.corpora[corpus].shards,
            **self._network(clips * self._seconds(one.detector, one.training)[0]),
        )

    def train_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Cost:
        settings = self.jobs.train_detector(detector, training_set, strategy, seed).settings
        train, dev = (self.number(training_set, split) for split in ("train", "dev"))
        if settings.match == "epochs":
            train *= self._epoch_share(settings, training_set)
        return self._trained(train, dev, detector, settings)

    def train_tracer(self, task: str, detector: str, seed: str) -> Cost:
        settings = self.jobs.train_tracer(task, detector, seed).settings.training
        return self._trained(*self.numbers_to_trace(task), detector, settings)

    def trace(self, task: str, detector: str, seed: str) -> Cost:
        settings, clips = self.jobs.train_tracer(task, detector, seed).settings.training, self.number_traced(task)
        return replace(self._scored(clips, detector, settings), bytes_out=clips * self.rate_table["bytes.score"])

    def _trained(self, train: Amount, dev: Amount, detector: str, settings: TrainSettings) -> Cost:
        """A job that trains on these numbers of trials in an epoch."""
        feature, step = self._seconds(detector, settings)
        updated = train * strategy_of(settings.strategy, settings.strategy_settings).num_passes
        passes = updated + dev * FORWARD_SHARE
        weights, clips = self._weights(self._model_bytes(settings, detector)), (train + dev) * settings.epochs
        if settings.cache == DISK:  # read while the network computes
            size = clips * self._feature_bytes(settings)
            reading = size / (MB * self.rate_table["features.read_mb"])
            network = self._network(largest(passes * step * settings.epochs, reading))
            return Cost(**{**self._clips(clips, settings), "bytes_in": size}, **weights, **network)
        rounds = settings.epochs if settings.cache == NONE else 1  # of computing the features
        forward = updated * (1 / FORWARD_SHARE) if settings.fine_tuning.is_on else train
        network = self._network((forward + dev) * feature * rounds + passes * step * settings.epochs)
        return Cost(**self._clips(clips, settings), **weights, **network)

    def fetch_detector(self, form: str) -> Cost:
        # once in the weights folder, which may be on another disk, once in the run
        return Cost(bytes_out=amount(float(released_files.FILES[form].bytes or nan)) * 2, other_files=1)

    def import_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Cost:
        settings = self.jobs.import_detector(detector, training_set, strategy, seed).settings
        return Cost(bytes_out=self._model_bytes(settings, detector))

    def calibrate_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Cost:
        settings = self.jobs.import_detector(detector, training_set, strategy, seed).settings
        domain = released.weights_at(self.experiment, detector, training_set, strategy).calibrate_on
        return self._scored(sum_of(self.trials_of_domain(str(domain), "dev")), detector, settings)

    def score(self, detector: str, training_set: str, strategy: str, seed: str) -> Cost:
        trials, clips = self.evaluation
        cost = self._scored(clips, detector, self._clip_settings(detector, training_set, strategy, seed))
        # by condition, and by source
        return replace(cost, bytes_out=(trials + clips) * self.rate_table["bytes.score"])

    def score_segments(self, detector: str, training_set: str, strategy: str, seed: str) -> Cost:
        cost = self._scored(self.segments, detector, self._clip_settings(detector, training_set, strategy, seed))
        return replace(cost, bytes_out=self.segments * self.rate_table["bytes.score"])

    def _clip_settings(self, detector: str, training_set: str, strategy: str, seed: str) -> ClipSettings:
        of_job = self.jobs.import_detector if is_released(training_set) else self.jobs.train_detector
        return of_job(detector, training_set, strategy, seed).settings

    def _scored(self, clips: Amount, detector: str, settings: ClipSettings) -> Cost:
        """A job that scores clips."""
        feature, step = self._seconds(detector, settings)
        return Cost(**self._clips(clips, settings), **self._network(clips * (feature + FORWARD_SHARE * step)))
