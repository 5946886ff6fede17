"""An experiment: its corpora, codecs, splits, conditions and detectors, as plain data."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any, Literal

from codec_wrappers import CodecError, entry
from codecfake.audit.settings import Limits
from codecfake.base.degraded_names import base_of, degradation_of, plain, with_degradation
from codecfake.base.merging import laid_over
from codecfake.base.plugins import PluginError
from codecfake.base.settings import DERIVED, Filled, Of
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.demo.settings import DemoSettings
from codecfake.detectors.settings import DetectorSettings
from codecfake.experiment import ladders, partial_fakes, sections
from codecfake.experiment.sections import (
    Audio,
    Codec,
    CodecTraining,
    Condition,
    Corpus,
    Domain,
    Generation,
    ModelGrid,
    Name,
    Names,
    Quality,
    Seed,
    Selection,
    Text,
    TrainingSet,
)
from codecfake.experiment.tracing import Tracing, with_left_out
from codecfake.experiment.weights import Official, Shipped, Trained, one_line
from codecfake.protocols.labels import DEFAULT, CodedKeys, Labels, keys_of
from codecfake.protocols.lists import RECORDINGS, ConditionSettings, PartitionSettings, Side
from codecfake.scoring.segment_settings import SegmentSettings


@dataclass(frozen=True)
class Experiment:
    title: Text
    corpora: Annotated[dict[Name, Corpus], Filled()]
    codecs: dict[Name, Codec]
    domains: Annotated[dict[Name, Domain], Filled()]
    conditions: Annotated[dict[Name, Condition], Filled()]
    detectors: dict[Name, Annotated[dict[str, Any], Of(DetectorSettings)]]
    training_sets: dict[Name, TrainingSet]
    models: Annotated[list[ModelGrid], Filled()]
    description: str = ""
    license: Literal["any", "permissive"] = "any"  # permissive: no non-commercial or unlicensed code or weights
    seed: Seed = 1
    demo: Annotated[dict[str, Any], Of(DemoSettings)] = field(default_factory=dict)
    audio: Audio = field(default_factory=Audio)
    codec_training: CodecTraining | None = None
    quality: Quality = field(default_factory=Quality)
    audit: Limits = field(default_factory=Limits)
    training: dict[str, Any] = field(default_factory=dict)
    detector_training: dict[Name, dict[str, Any]] = field(default_factory=dict)  # where a detector's training differs
    strategies: dict[Name, dict[str, Any]] = field(default_factory=dict)  # other settings of one, or one's own
    label_policies: dict[Name, Labels] = field(default_factory=dict)  # keys of the same trials to compare
    averages: dict[str, Names] = field(default_factory=dict)  # report column -> the conditions it averages
    notes: list[str] = field(default_factory=list)  # important notes for every reader of the report
    tracing: dict[Name, Tracing] = field(default_factory=dict)  # tasks of source tracing
    segments: SegmentSettings = field(default_factory=SegmentSettings)  # of the conditions of partial fakes
    not_run: dict[str, str] = field(default_factory=dict, metadata={DERIVED: True})  # condition -> why

    def __post_init__(self) -> None:
        self.__dict__.update(conditions=ladders.with_steps(self.conditions), tracing=with_left_out(self.tracing))

    def plain_conditions(self) -> list[str]:
        """The conditions of the file, without the steps of ladders."""
        return plain(list(self.conditions))

    def codec_of(self, source: str) -> str:
        """The name of the codec that makes a source."""
        return next(name for name, codec in self.codecs.items() if base_of(source) in codec.sources)

    def original(self, source: str) -> str:
        """The source whose audio a source is: itself, unless it is an alias."""
        base = base_of(source)
        if base == RECORDINGS:
            return source
        original = self.codecs[self.codec_of(base)].sources[base].same_as or base
        return with_degradation(original, degradation_of(source))

    def aliases(self) -> dict[str, str]:
        """Source -> the source whose bytes it shares."""
        sources = (item for codec in self.codecs.values() for item in codec.sources.items())
        return {name: source.same_as for name, source in sources if source.same_as}

    def codec_training_settings(self, codec: str) -> dict[str, Any]:
        """Everything that determines the training of a codec."""
        assert self.codec_training is not None
        section = self.codecs[codec]
        return {
            "codec": codec,
            "wrapper": section.wrapper,
            "model": section.model,
            "gain": section.gain,
            "quantizers": self.most_quantizers(codec),
            "seed": self.seed,
            "corpora": self.codec_training.corpora,
            **laid_over(self.codec_training.settings, section.training_settings),
        }

    def most_quantizers(self, codec: str) -> int:
        """The most quantizers that any source of a codec uses."""
        return max(self.codecs[codec].generated().values())

    def all_audio(self) -> list[tuple[str, str]]:
        """(corpus, source) of all audio that a protocol names, and of what partial fakes are made from."""
        of_domains = (pair for domain in self.domains for pair in self.audio_of_domain(domain))
        of_conditions = (pair for condition in self.conditions for pair in self.audio_of_condition(condition))
        pairs = [*of_domains, *of_conditions]
        return list(dict.fromkeys([*pairs, *partial_fakes.parents(self, pairs)]))

    def train_settings(self, detector: str, training_set: str, strategy: str, seed: int) -> dict[str, Any]:
        """Everything that determines the training of one model."""
        schedule = self.training_sets[training_set]
        return {
            **self.training,
            **schedule.settings,
            **self.detector_training.get(detector, {}),
            "detector": self.detectors[detector],
            "epochs": schedule.epochs,
            "halve_every": schedule.halve_every,
            "strategy": strategy,
            "strategy_settings": self.strategies.get(strategy, {}),
            "seed": seed,
        }

    def sources_by_corpus(self) -> dict[str, list[str]]:
        """Corpus -> its sources that have audio, recordings first; not those of ladders."""
        sources: dict[str, list[str]] = {}
        for corpus, source in sorted(self.all_audio()):
            if degradation_of(source):
                continue
            sources.setdefault(corpus, []).append(source)
        return {
            corpus: sorted(names, key=lambda source: (source[0] != "F", source)) for corpus, names in sources.items()
        }

    def spectrogram_sources(self) -> dict[str, list[str]]:
        """Corpus -> the sources to draw, recordings included, for the corpora of the first condition's recordings."""
        first = next(iter(self.conditions.values()))
        corpora = self.corpora_of(first.bonafide)
        return {
            corpus: sources if BONAFIDE in self.resynthesized_keys(corpus) else [RECORDINGS]
            for corpus, sources in self.sources_by_corpus().items()
            if corpus in corpora
        }

    def codecs_run(self) -> list[str]:
        """The codecs that some protocol needs."""
        return list(
            dict.fromkeys(self.codec_of(source) for _, source in self.all_audio() if base_of(source) != RECORDINGS)
        )

    def checkpoints_run(self) -> list[str]:
        """The official checkpoints that the codecs and generators in use need."""
        codecs = [self.codecs[codec] for codec in ladders.codecs_used(self)]
        weights = [each for codec in codecs for each in (codec.weights, codec.start_from)]
        weights += [each for item in self.generated().values() for each in (item.weights_used, item.codec_weights_used)]
        return list(dict.fromkeys(each.checkpoint for each in weights if isinstance(each, Official)))

    def generated(self) -> dict[str, Generation]:
        """The corpora of fakes that this run makes, with how."""
        return {name: item.generation for name, item in self.corpora.items() if item.generation is not None}

    def text_corpora(self, corpus: str) -> list[str]:
        """The corpora whose tables decide what a generated corpus says, and with which voices."""
        generation = self.corpora[corpus].generation
        assert generation is not None
        if generation.captions is not None:
            return [generation.captions.corpus]
        assert generation.texts is not None
        domain = generation.texts.domain
        return self.domains[domain].corpora if domain is not None else self.corpora_of(generation.texts)

    def is_trained(self, codec: str) -> bool:
        """Whether the workflow trains a codec's weights."""
        return isinstance(self.codecs[codec].weights, Trained)

    def is_shipped(self, codec: str) -> bool:
        """Whether a codec has small weights of the package, or starts its training from them."""
        section = self.codecs[codec]
        return isinstance(section.weights, Shipped) or isinstance(section.start_from, Shipped)

    def licenses_of(self, codec: str) -> dict[str, str]:
        """SPDX identifiers of the `code` and the `weights` that a codec runs with."""
        section = self.codecs[codec]
        # weights that are trained further keep the terms of those that training starts from
        start = section.start_from if self.is_trained(codec) else None
        return (start or section.weights).licenses(entry(section.wrapper).license)

    def license_of(self, codec: str) -> str:
        """The same in one line for a table: `MIT`, or `code MIT, weights unstated`."""
        return one_line(self.licenses_of(codec))

    def averages_run(self) -> dict[str, list[str]]:
        """`averages` over the conditions that are run; the mean of all if there are no averages."""
        run = {name: [c for c in conditions if c in self.conditions] for name, conditions in self.averages.items()}
        return {name: conditions for name, conditions in run.items() if conditions} or {"mean": self.plain_conditions()}

    def corpora_of(self, selection: Selection) -> list[str]:
        """The corpora that a selection draws from."""
        if selection.corpus is not None:
            return [selection.corpus]
        domain = self.domains[selection.domain or ""]
        return selection.corpora or domain.keep or domain.corpora

    def model_names(self) -> list[str]:
        """`{detector}/{training set}/{strategy}/seed{n}` of every model, in the order of the file."""
        grids = (product(grid.detectors, grid.training_sets, grid.strategies, grid.seeds) for grid in self.models)
        names = [f"{d}/{t}/{s}/seed{n}" for grid in grids for d, t, s, n in grid]
        return list(dict.fromkeys(names))

    def audio_of_domain(self, domain: str) -> list[tuple[str, str]]:
        """(corpus, source) of all audio in the train and dev protocols of a domain."""
        rule = self.domains[domain]
        return [(c, self.original(s)) for c, s in product(rule.keep or rule.corpora, [RECORDINGS, *rule.sources])]

    def audio_of_condition(self, condition: str) -> list[tuple[str, str]]:
        """(corpus, source) of all audio in a condition."""
        sides = (self.conditions[condition].bonafide, self.conditions[condition].spoof)
        pairs = [(corpus, self.original(side.source)) for side in sides for corpus in self.corpora_of(side)]
        degradation = degradation_of(condition)
        partners = [(corpus, with_degradation(RECORDINGS, degradation)) for corpus, _ in pairs] if degradation else []
        return list(dict.fromkeys([*pairs, *partners])) if degradation else pairs

    def partition_settings(self, domain: str) -> PartitionSettings:
        """Everything that determines the train and dev protocols of a domain."""
        rule = self.domains[domain]
        sources = [self.original(source) for source in rule.sources]
        every = self.labels_of(rule.labels, sources).items()
        labels = {source: dict(keys) for source, keys in every if keys != DEFAULT}
        common = (rule.corpora, rule.split, sources, rule.keep, self.speakers_of())
        return PartitionSettings(*common, labels, self._resynthesized(rule.corpora))

    def condition_settings(self, condition: str) -> ConditionSettings:
        """Everything that determines the eval protocol of a condition."""
        rule = self.conditions[condition]
        return ConditionSettings(self.side(rule.bonafide), self.side(rule.spoof), self.speakers_of())

    def purpose_of(self, codec: str) -> str | None:
        """Transmission, generation, or None if neither the experiment nor the wrapper says."""
        section = self.codecs[codec]
        if section.purpose is not None:
            return section.purpose
        try:
            return entry(section.wrapper).purpose
        except (CodecError, PluginError):
            return None  # its wrapper's fault is reported elsewhere

    def labels_of(self, labels: Labels, sources: Iterable[str]) -> dict[str, CodedKeys]:
        """Source -> the keys of its coded speech by a policy."""
        return {source: labels.keys(self.purpose_of(self.codec_of(source))) for source in sources}

    def coded_keys(self, domain: str | None, source: str) -> CodedKeys:
        """The keys of the speech of a source in a domain, or by default."""
        return DEFAULT if domain is None else self.labels_of(self.domains[domain].labels, [source])[source]

    def resynthesized_keys(self, corpus: str) -> tuple[str, ...]:
        """The keys of the utterances of a corpus that codecs resynthesize."""
        return keys_of(corpus, self._resynthesized([corpus]))

    def _resynthesized(self, corpora: Iterable[str]) -> dict[str, str]:
        """Corpus -> what codecs resynthesize, where it is not bona fide speech alone."""
        choices = {corpus: self.corpora[corpus].resynthesize for corpus in corpora if corpus in self.corpora}
        return {corpus: choice for corpus, choice in choices.items() if choice != BONAFIDE}

    def speakers_of(self) -> dict[str, str]:
        """Corpus -> whose speakers its ids name, where the experiment says so."""
        return sections.speakers_of(self.corpora)

    def speakers_of_condition(self, condition: str) -> dict[str, str]:
        """What a condition changes about that."""
        rule = self.conditions[condition]
        corpora = [side.corpus for side in (rule.bonafide, rule.spoof) if side.corpus is not None]
        return dict.fromkeys(corpora, rule.speakers_of) if rule.speakers_of is not None else {}

    def side(self, selection: Selection) -> Side:
        """Everything that determines the trials of a selection."""
        source = self.original(selection.source)
        if selection.domain is None:
            corpora, split, keep = self.corpora_of(selection), None, None
        else:
            domain = self.domains[selection.domain]
            corpora, split, keep = domain.corpora, domain.split, selection.corpora or domain.keep
        # of recordings, the key of the side decides
        is_recorded = base_of(source) == RECORDINGS
        coded = {} if is_recorded else self._resynthesized(corpora)
        original = "" if is_recorded or selection.original in (None, BONAFIDE) else SPOOF
        return Side(corpora, split, keep, source, selection.utterances, original, coded)
