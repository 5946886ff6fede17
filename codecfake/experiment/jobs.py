"""The settings of every job of a run, built and checked before the first one.

One method per rule; its parameters are the wildcards that the settings depend on. Each result is built with the same
class that the job's command uses, and is passed on as one JSON text: the same text for the same settings.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Generic, TypeVar

from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.audio.settings import NATIVE, RecordingsSettings
from codecfake.audit.settings import AuditSettings
from codecfake.base.settings import build
from codecfake.base.validation import ConfigurationError
from codecfake.corpora.settings import IngestSettings
from codecfake.demo.settings import DemoSettings
from codecfake.experiment import audited, quality_choice
from codecfake.experiment.papers import Papers
from codecfake.experiment.report_settings import ReportSettings
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS, ConditionSettings, PartitionSettings
from codecfake.protocols.sources import SourcesSettings
from codecfake.quality.settings import QualitySettings, SummarySettings
from codecfake.tables.settings import SpectrogramSettings, TableSettings
from codecfake.training.settings import TrainSettings

T = TypeVar("T")


@dataclass(frozen=True)
class Job(Generic[T]):
    """The settings of one job, and the JSON text for its command."""

    settings: T
    text: str


class Jobs:
    """The jobs of an experiment; `as_written` are the values of its file, for the report."""

    def __init__(self, experiment: Experiment, papers: Papers, as_written: dict[str, Any]) -> None:
        self._experiment, self._papers, self._as_written = experiment, papers, as_written

    def check(self) -> None:
        """Build the settings of all jobs. Raises ConfigurationError naming every job whose settings cannot be built."""
        faults = []
        for rule, wildcards in self._all():
            try:
                getattr(self, rule)(*wildcards)
            except ValueError as error:
                faults.append(f"{' '.join((rule, *wildcards))}: {error}")
        if faults:
            raise ConfigurationError("\n".join(faults))

    def _all(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every rule with the wildcards of each of its jobs."""
        e = self._experiment
        trained = [codec for codec in e.codecs_run() if e.is_trained(codec)]
        yield from (("ingest_corpus", (corpus,)) for corpus in e.corpora)
        yield from (("record", pair) for pair in product(e.corpora, (RECORDINGS, NATIVE)))
        yield from (("resynthesize", pair) for pair in product(e.codecs_run(), e.corpora))
        yield from (("train_codec", (codec,)) for codec in trained)
        yield from (("write_partition", (domain,)) for domain in e.domains)
        yield from (("write_condition", (condition,)) for condition in e.conditions)
        yield from (("quality", (source,)) for source in quality_choice.sources(e))
        for name in e.model_names():
            detector, training_set, strategy, seed = name.split("/")
            yield "train_detector", (detector, training_set, strategy, seed.removeprefix("seed"))
        once = ("write_sources", "quality_summary", "audit", "tabulate", "draw_spectrograms", "report")
        yield from ((rule, ()) for rule in ("synthesize_demo", *once))

    # corpora and audio

    def synthesize_demo(self) -> Job[DemoSettings]:
        return job(DemoSettings, self._experiment.demo)

    def ingest_corpus(self, corpus: str) -> Job[IngestSettings]:
        rule = self._experiment.corpora[corpus]
        values = {"corpus": corpus, "layout": rule.layout, "options": rule.options, "max_rejected": rule.max_rejected}
        return job(IngestSettings, values)

    def record(self, corpus: str, recordings: str) -> Job[RecordingsSettings]:
        native = recordings == NATIVE
        values = {
            "num_shards": self._experiment.corpora[corpus].shards,
            "sample_rate": NATIVE if native else self._experiment.audio.sample_rate,
            "bonafide_only": native,
        }
        return job(RecordingsSettings, values)

    def train_codec(self, codec: str) -> Job[CodecTrainingSettings]:
        return job(CodecTrainingSettings, self._experiment.codec_training_settings(codec))

    def resynthesize(self, codec: str, corpus: str) -> Job[ResynthesisSettings]:
        rule = self._experiment.codecs[codec]
        values = {
            "codec": codec,
            "wrapper": rule.wrapper,
            "model": rule.model,
            "gain": rule.gain,
            "keep_gain": rule.keep_gain,
            "license": self._experiment.license_of(codec),
            "sources": rule.generated(),
            "num_shards": self._experiment.corpora[corpus].shards,
            "sample_rate": self._experiment.audio.sample_rate,
        }
        return job(ResynthesisSettings, values)

    # protocols

    def write_sources(self) -> Job[SourcesSettings]:
        return job(
            SourcesSettings, {"sources": [row for name in self._experiment.codecs_run() for row in self._rows(name)]}
        )

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        codec = self._experiment.codecs[name]
        for source, rule in codec.sources.items():
            yield {
                "source": source,
                "codec": name,
                "wrapper": codec.wrapper,
                "quantizers": codec.generated()[rule.same_as or source],
                "printed_kbps": rule.printed_kbps,
                "same_as": rule.same_as or "",
                "alternative_to": rule.alternative_to or "",
                "weights": codec.weights.label,
                "license": self._experiment.license_of(name),
                "note": rule.note,
            }

    def write_partition(self, domain: str) -> Job[PartitionSettings]:
        return job(PartitionSettings, asdict(self._experiment.partition_settings(domain)))

    def write_condition(self, condition: str) -> Job[ConditionSettings]:
        return job(ConditionSettings, asdict(self._experiment.condition_settings(condition)))

    # detectors

    def train_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Job[TrainSettings]:
        return job(TrainSettings, self._experiment.train_settings(detector, training_set, strategy, int(seed)))

    # numbers

    def quality(self, source: str) -> Job[QualitySettings]:
        values = {
            "source": source,
            "corpora": quality_choice.corpora(self._experiment, source),
            "utterances": self._experiment.quality.utterances,
            "seed": self._experiment.seed,
        }
        return job(QualitySettings, values)

    def quality_summary(self) -> Job[SummarySettings]:
        return job(SummarySettings, {"sources": quality_choice.sources(self._experiment)})

    def audit(self) -> Job[AuditSettings]:
        return job(AuditSettings, audited.settings(self._experiment))

    def tabulate(self) -> Job[TableSettings]:
        values = {
            "models": self._experiment.model_names(),
            "conditions": list(self._experiment.conditions),
            "title": self._experiment.title,
            "papers": self._papers.tables,
            "figures": self._papers.figures,
        }
        return job(TableSettings, values)

    def draw_spectrograms(self) -> Job[SpectrogramSettings]:
        return job(SpectrogramSettings, {"sources": self._experiment.spectrogram_sources()})

    def report(self) -> Job[ReportSettings]:
        e = self._experiment
        sources = [(name, source, rule) for name, codec in e.codecs.items() for source, rule in codec.sources.items()]
        values = {
            "title": e.title,
            "description": e.description,
            "notes": e.notes,
            "models": e.model_names(),
            "conditions": list(e.conditions),
            "averages": e.averages_run(),
            "training_protocols": {
                name: [f"{domain}/train" for domain in training_set.domains]
                for name, training_set in e.training_sets.items()
            },
            "corpora": list(e.corpora),
            "protocols": [
                *(f"{domain}/{split}" for domain, split in product(e.domains, ("train", "dev"))),
                *(f"eval/{condition}" for condition in e.conditions),
            ],
            "sources": e.sources_by_corpus(),
            "trained_codecs": {source: name for name, source, _ in sources if e.is_trained(name)},
            "printed_kbps": {source: rule.printed_kbps for _, source, rule in sources if rule.printed_kbps is not None},
            "aliases": e.aliases(),
            "quality": quality_choice.sources(e),
            "papers": self._papers.captions,
            "audit": True,
            "not_run": e.not_run,
            "experiment": self._as_written,
        }
        return job(ReportSettings, values)


def job(settings: type[T], values: Mapping[str, Any]) -> Job[T]:
    """Raises ValueError where the job itself would refuse its settings."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return Job(build(settings, values), text)
