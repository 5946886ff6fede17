"""The settings of every job of a run, built and checked before the first one.

One method per rule; its parameters are the wildcards that the settings depend on. Each result is built with the same
class that the job's command uses, and is passed on as one JSON text: the same text for the same settings.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import cached_property
from itertools import product
from typing import Any

from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.audio.settings import NATIVE, RecordingsSettings
from codecfake.audit.settings import AuditSettings
from codecfake.base.hub_models import record_name
from codecfake.base.utterances import BONAFIDE
from codecfake.base.validation import ConfigurationError
from codecfake.corpora.captions import CaptionsSettings
from codecfake.corpora.settings import GeneratedSettings, IngestSettings
from codecfake.demo.settings import DemoSettings
from codecfake.detectors.import_settings import ImportSettings
from codecfake.experiment import (
    audited,
    contents,
    feature_stores,
    generators,
    held_out,
    hub_models,
    kinds,
    ladders,
    optional_tables,
    partial_fakes,
    quality_choice,
    released,
    source_rows,
    speakers,
    tracing_tasks,
)
from codecfake.experiment.degradation_jobs import DegradationJobs
from codecfake.experiment.feature_stores import Store
from codecfake.experiment.job import Job, filled, job
from codecfake.experiment.papers import Papers
from codecfake.experiment.partial_jobs import PartialJobs
from codecfake.experiment.report_settings import ReportSettings
from codecfake.experiment.schema import Experiment
from codecfake.experiment.tracing_jobs import TracingJobs
from codecfake.features.store_settings import StoreSettings
from codecfake.generators.job_settings import ShardSettings
from codecfake.protocols.generation_lists import GenerationListSettings
from codecfake.protocols.lists import RECORDINGS, ConditionSettings, PartitionSettings, plain
from codecfake.protocols.sources import SourcesSettings
from codecfake.quality.settings import QualitySettings, SummarySettings
from codecfake.tables.settings import SpectrogramSettings, TableSettings
from codecfake.training.settings import TrainSettings

JobName = tuple[str, tuple[str, ...]]  # a rule, and the wildcards that the settings of its job depend on


class Jobs(TracingJobs, DegradationJobs, PartialJobs):
    """The jobs of an experiment; `as_written` are the values of its file, for the report."""

    def __init__(self, experiment: Experiment, papers: Papers, as_written: dict[str, Any]) -> None:
        self._experiment, self._papers, self._as_written = experiment, papers, as_written

    def check(self) -> None:
        """Build the settings of all jobs. Raises ConfigurationError naming every job whose settings cannot be built."""
        faults = []
        for rule, wildcards in self.with_settings():
            try:
                getattr(self, rule)(*wildcards)
            except ValueError as error:
                faults.append(f"{' '.join((rule, *wildcards))}: {error}")
        if faults:
            raise ConfigurationError("\n".join(faults))

    def with_settings(self) -> Iterator[JobName]:
        """The jobs that have settings: those of the run, and the spectrograms, which are only drawn on request."""
        yield from (name for name in self.walk() if hasattr(self, name[0]))
        yield "draw_spectrograms", ()

    def walk(self) -> Iterator[JobName]:
        """Every job of a run, in the order of the rules; the jobs for the shards of a corpus count as one."""
        yield from self._of_audio()
        yield from self._of_protocols()
        yield from self._of_models()
        yield from ((rule, ()) for rule in ("tabulate", "report", "all"))

    def _of_audio(self) -> Iterator[JobName]:
        e = self._experiment
        native = list(product(audited.codec_training(e), [NATIVE]))
        recordings = [pair for pair in e.all_audio() if pair[1] == RECORDINGS and pair[0] not in e.generated()]
        if any(corpus.demo for corpus in e.corpora.values()):
            yield "synthesize_demo", ()
        yield from (("ingest_corpus", (corpus,)) for corpus in e.corpora if corpus not in e.generated())
        yield from (("fetch_hub_model", (record_name(model),)) for model in hub_models.all_of(e))
        yield from (("fetch", (checkpoint,)) for checkpoint in e.checkpoints_run())
        yield from (("train_codec", (codec,)) for codec in ladders.codecs_used(e) if e.is_trained(codec))
        yield from (("record", pair) for pair in [*recordings, *native])
        for codec in e.codecs_run():
            corpora = {corpus for corpus, source in e.all_audio() if source in e.codecs[codec].generated()}
            yield from (("resynthesize", (codec, corpus)) for corpus in e.corpora if corpus in corpora)
        yield from self._of_generation()
        yield from self.of_splicing()
        yield from self.of_degradation()
        yield from (("list_shards", pair) for pair in [*e.all_audio(), *native])

    def _of_generation(self) -> Iterator[JobName]:
        fakes = self._experiment.generated()
        captions = dict.fromkeys(item.captions.corpus for item in fakes.values() if item.captions is not None)
        yield from (("read_captions", (corpus,)) for corpus in captions)
        rules = ("write_generation_list", "generate", "list_generated")
        yield from ((rule, (corpus,)) for rule in rules for corpus in fakes)

    def _of_protocols(self) -> Iterator[JobName]:
        e, measured = self._experiment, quality_choice.by_codec(self._experiment)
        yield "write_sources", ()
        yield from (("write_partition", (domain,)) for domain in e.domains)
        yield from (("write_condition", (condition,)) for condition in e.conditions)
        yield from (("quality", (codec,)) for codec in measured)
        yield from (("measure_generated", (corpus,)) for corpus in e.generated())
        summaries = ["quality_summary"] * bool(measured) + ["generated_summary"] * bool(e.generated())
        yield from ((rule, ()) for rule in [*summaries, "audit", "audit_verdict"])

    def _of_models(self) -> Iterator[JobName]:
        e = self._experiment
        models, trained = released.wildcards(e.model_names()), released.wildcards(released.trained_names(e))
        imported = [(name, model) for name, model in models.items() if name not in trained]
        yield from (("check_lists", (training_set,)) for training_set in dict.fromkeys(m[1] for m in trained.values()))
        for name, store in self.stores.items():
            yield from (("extract_features", (name, *pair)) for pair in feature_stores.audio(e, store))
        yield from (("train_detector", model) for model in trained.values())
        yield from (("fetch_detector", (form,)) for form in released.forms_to_fetch(e))
        yield from (("import_detector", model) for _, model in imported)
        yield from (("calibrate_detector", model) for name, model in imported if name in released.calibrated_names(e))
        yield from (("score", model) for model in models.values())
        yield from self.of_tracing()
        yield from self.of_segments()

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
        # left out where it is the default, so that finished jobs of other experiments keep their parameters
        if rule.decoder_precision != "float32":
            values["decoder_precision"] = rule.decoder_precision
        if self._experiment.corpora[corpus].resynthesize != BONAFIDE:
            values["resynthesize"] = self._experiment.corpora[corpus].resynthesize
        return job(ResynthesisSettings, values)

    # generated fakes

    def read_captions(self, corpus: str) -> Job[CaptionsSettings]:
        rule = self._experiment.corpora[corpus]
        return job(CaptionsSettings, {"corpus": corpus, "layout": rule.layout, "options": rule.options})

    def write_generation_list(self, corpus: str) -> Job[GenerationListSettings]:
        return job(GenerationListSettings, generators.list_settings(self._experiment, corpus))

    def generate(self, corpus: str) -> Job[ShardSettings]:
        return job(ShardSettings, generators.shard_settings(self._experiment, corpus))

    def list_generated(self, corpus: str) -> Job[GeneratedSettings]:
        values = {"corpus": corpus, "max_rejected": self._experiment.corpora[corpus].max_rejected}
        return job(GeneratedSettings, values)

    # protocols

    def write_sources(self) -> Job[SourcesSettings]:
        return job(SourcesSettings, {"sources": list(source_rows.rows(self._experiment))})

    def write_partition(self, domain: str) -> Job[PartitionSettings]:
        return job(PartitionSettings, plain(self._experiment.partition_settings(domain)))

    def write_condition(self, condition: str) -> Job[ConditionSettings]:
        return job(ConditionSettings, plain(self._experiment.condition_settings(condition)))

    # detectors

    @cached_property
    def stores(self) -> dict[str, Store]:
        """The feature stores by name."""
        return feature_stores.stores(self._experiment)

    def extract_features(self, store: str, corpus: str, source: str) -> Job[StoreSettings]:
        return job(StoreSettings, asdict(self.stores[store].settings))

    def train_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Job[TrainSettings]:
        values = self._experiment.train_settings(detector, training_set, strategy, int(seed))
        return job(TrainSettings, kinds.with_kinds(self._experiment, values))

    def import_detector(self, detector: str, training_set: str, strategy: str, seed: str) -> Job[ImportSettings]:
        weights = released.weights_at(self._experiment, detector, training_set, strategy)
        return job(ImportSettings, released.import_settings(self._experiment, detector, weights))

    # numbers

    def quality(self, codec: str) -> Job[QualitySettings]:
        sources = quality_choice.by_codec(self._experiment)[codec]
        values = {
            "sources": {source: quality_choice.corpora(self._experiment, source) for source in sources},
            "utterances": self._experiment.quality.utterances,
            "seed": self._experiment.seed,
            **filled({"sounds": contents.sounds_measured(self._experiment)}),
        }
        return job(QualitySettings, values)

    def quality_summary(self) -> Job[SummarySettings]:
        return job(SummarySettings, contents.quality_summary(self._experiment))

    def audit(self) -> Job[AuditSettings]:
        return job(AuditSettings, audited.settings(self._experiment))

    def tabulate(self) -> Job[TableSettings]:
        values = {
            "models": self._experiment.model_names(),
            "conditions": list(self._experiment.conditions),
            "title": self._experiment.title,
            "papers": self._papers.tables,
            "figures": self._papers.figures,
            **speakers.of_conditions(self._experiment),
            **held_out.settings(self._experiment),
            **filled(optional_tables.settings(self._experiment)),
        }
        return job(TableSettings, values)

    def draw_spectrograms(self) -> Job[SpectrogramSettings]:
        return job(SpectrogramSettings, {"sources": self._experiment.spectrogram_sources()})

    def report(self) -> Job[ReportSettings]:
        e = self._experiment
        sources = [(name, source, rule) for name, codec in e.codecs.items() for source, rule in codec.sources.items()]
        domains_of = {name: item.domains for name, item in e.training_sets.items()} | released.trained_on(e)
        spoofs = [name for name in e.corpora if BONAFIDE not in e.resynthesized_keys(name)]
        dev = {name: one.weights.calibrate_on or "" for name, one in released.models(e).items()}
        values = {
            "title": e.title,
            "description": e.description,
            "notes": e.notes,
            "models": e.model_names(),
            "conditions": e.plain_conditions(),
            "averages": e.averages_run(),
            "training_protocols": {name: [f"{one}/train" for one in domains] for name, domains in domains_of.items()},
            "corpora": list(e.corpora),
            "protocols": [
                *(f"{domain}/{split}" for domain, split in product(e.domains, ("train", "dev"))),
                *(f"eval/{condition}" for condition in e.conditions),
            ],
            "sources": e.sources_by_corpus(),
            "trained_codecs": {source: name for name, source, _ in sources if e.is_trained(name)},
            "printed_kbps": {source: rule.printed_kbps for _, source, rule in sources if rule.printed_kbps is not None},
            "shipped": [source for name, source, _ in sources if e.is_shipped(name)],
            "controls": audited.controls(e),
            "aliases": e.aliases(),
            "quality": quality_choice.sources(e),
            **({"generated": list(e.generated())} if e.generated() else {}),
            "papers": self._papers.captions,
            "audit": True,
            "not_run": e.not_run,
            "experiment": self._as_written,
            **filled({"released": dev, "ladders": ladders.steps_of(e), **tracing_tasks.report_settings(e)}),
            **filled({"contents": bool(contents.settings(e)), "quality_sounds": contents.sources_with_sounds(e)}),
            **filled({"partial": partial_fakes.conditions(e)}),
            **filled({"label_policies": list(e.label_policies), "coded_spoofs_alone": spoofs}),
        }
        return job(ReportSettings, values)
