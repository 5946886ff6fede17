"""An experiment: which corpora, codecs, splits, conditions and detectors, as plain data.

These classes are what an experiment file is checked against: their annotations say which keys and values there are.
"""

from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any, Literal

from codec_wrappers import WRAPPERS
from codecfake.audit.settings import Limits
from codecfake.base.settings import DERIVED, FaultsError, Filled, Of, Pattern, Range, as_faults, fault
from codecfake.base.suggestions import unknown
from codecfake.corpora import layout
from codecfake.corpora.settings import Share
from codecfake.corpora.sizes import ListedSize
from codecfake.demo.settings import DemoSettings
from codecfake.detectors.settings import DetectorSettings
from codecfake.protocols.lists import RECORDINGS, ConditionSettings, PartitionSettings, Side, Split

Name = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9_-]*", "a name: letters, digits, _ and -, no other sign first")]
Names = Annotated[list[Name], Filled()]
Count = Annotated[int, Range(least=1)]
Rate = Annotated[int, Range(least=8000)]  # Hz
Text = Annotated[str, Filled()]


@dataclass(frozen=True)
class Corpus:
    """Recordings on disk. `demo`: synthesized by the workflow; `optional`: left out, and named, if it has no root."""

    layout: str  # of `codecfake.corpora.LAYOUTS`, or `module:name`
    demo: bool = False
    optional: bool = False
    shards: Count = 1
    max_rejected: Share = 0.01
    options: dict[str, Any] = field(default_factory=dict)  # of the layout
    # what it is expected to hold, where its layout has no published size
    size: Annotated[dict[str, Any], Of(ListedSize)] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            reader = layout(self.layout)
        except ValueError as error:
            raise fault(str(error), "layout") from error
        try:
            reader.build_options(self.options)
        except ValueError as error:
            raise FaultsError("", [each.below("options") for each in as_faults(error)]) from error


@dataclass(frozen=True)
class Source:
    """One kind of audio that a codec makes: `quantizers` codebooks, or the same bytes as another source."""

    quantizers: Count | None = None
    same_as: Name | None = None
    printed_kbps: Annotated[float, Range(least=0)] | None = None  # what the paper's table says
    alternative_to: Name | None = None  # the source whose row in the paper this reads otherwise
    note: str = ""  # what a reader of the list of codecs should know

    def __post_init__(self) -> None:
        exactly_one({"quantizers": self.quantizers, "same_as": self.same_as})


@dataclass(frozen=True)
class Codec:
    """A wrapper with its architecture and weights; its sources share one encoder pass."""

    wrapper: str
    weights: Any  # "trained", "none", {"official": checkpoint} or {"local": path under the weights folder}
    sources: Annotated[dict[Name, Source], Filled()]
    model: dict[str, Any] = field(default_factory=dict)
    gain: Literal["none", "rms", "peak", "lufs"] | None = None  # of the codec's input; None: its own habit
    keep_gain: bool = False  # that level stays in the fakes, as in some published sets: a shortcut for detectors
    training: dict[str, Any] = field(default_factory=dict)  # settings that differ from codec_training's

    def __post_init__(self) -> None:
        if self.wrapper not in WRAPPERS:
            raise fault(unknown("codec", self.wrapper, WRAPPERS), "wrapper")
        if not _are_weights(self.weights):
            known = "trained, none, {official: CHECKPOINT} or {local: PATH, license: SPDX}"
            raise fault(f"{self.weights!r} is none of {known}", "weights")

    def generated(self) -> dict[str, int]:
        """Number of quantizers of every source that is really made."""
        return {name: source.quantizers for name, source in self.sources.items() if source.quantizers is not None}


@dataclass(frozen=True)
class Domain:
    """Bona fide recordings and the spoofs that go with them, split as one: codec fakes, or vocoder fakes."""

    corpora: Names
    split: Split
    keep: Names | None = None  # of the corpora, after all were split together; None: all
    sources: Names = field(default_factory=list)  # seen in train and dev


@dataclass(frozen=True)
class Selection:
    """Some utterances of a domain or a corpus, as recorded or from a codec's source."""

    domain: Name | None = None
    corpus: Name | None = None
    corpora: Names | None = None
    source: Name = RECORDINGS
    utterances: Literal["eval", "all"] = "eval"

    def __post_init__(self) -> None:
        exactly_one({"domain": self.domain, "corpus": self.corpus})


@dataclass(frozen=True)
class Condition:
    bonafide: Selection
    spoof: Selection


@dataclass(frozen=True)
class TrainingSet:
    domains: Names
    epochs: Count = 10
    halve_every: Count = 2
    settings: dict[str, Any] = field(default_factory=dict)  # that differ from `training`


@dataclass(frozen=True)
class ModelGrid:
    """A product of detectors, training sets, strategies and seeds to train."""

    detectors: Names
    training_sets: Names
    strategies: Annotated[list[str], Filled()] = field(default_factory=lambda: ["erm"])
    seeds: Annotated[list[Annotated[int, Range(least=0)]], Filled()] = field(default_factory=lambda: [1])


@dataclass(frozen=True)
class CodecTraining:
    """How every codec with `weights: trained` is trained, but for what its own `training` says.

    `settings` are those of `codec_wrappers.training.loop.CodecTrainingSettings`: the recipe, and changes to it.
    """

    corpora: Names
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Audio:
    """Of every shard, in Hz, or each codec's own."""

    sample_rate: Literal["native"] | Rate = 16000


@dataclass(frozen=True)
class Quality:
    """How many held-out utterances, of all corpora together, every codec's output is compared with."""

    utterances: Count = 32


@dataclass(frozen=True)
class Experiment:
    title: str
    corpora: Annotated[dict[Name, Corpus], Filled()]
    codecs: dict[Name, Codec]
    domains: Annotated[dict[Name, Domain], Filled()]
    conditions: Annotated[dict[Name, Condition], Filled()]
    detectors: dict[Name, Annotated[dict[str, Any], Of(DetectorSettings)]]
    training_sets: dict[Name, TrainingSet]
    models: list[ModelGrid]
    description: str = ""
    license: Literal["any", "permissive"] = "any"  # permissive: no code or weights non-commercial or unlicensed
    seed: int = 1
    demo: Annotated[dict[str, Any], Of(DemoSettings)] = field(default_factory=dict)
    audio: Audio = field(default_factory=Audio)
    codec_training: CodecTraining | None = None
    quality: Quality = field(default_factory=Quality)
    audit: Limits = field(default_factory=Limits)
    training: dict[str, Any] = field(default_factory=dict)
    strategies: dict[str, dict[str, Any]] = field(default_factory=dict)  # settings of updates, where not their own
    averages: dict[str, Names] = field(default_factory=dict)  # report column -> the conditions it is the mean of
    notes: list[str] = field(default_factory=list)  # what every reader of the report must know first
    not_run: dict[str, str] = field(default_factory=dict, metadata={DERIVED: True})  # condition -> why

    def codec_of(self, source: str) -> str:
        """Name of the codec that makes a source."""
        return next(name for name, codec in self.codecs.items() if source in codec.sources)

    def original(self, source: str) -> str:
        """The source whose audio a source is: itself, unless it is an alias."""
        if source == RECORDINGS:
            return source
        return self.codecs[self.codec_of(source)].sources[source].same_as or source

    def aliases(self) -> dict[str, str]:
        """Source -> the source whose bytes it shares."""
        sources = (item for codec in self.codecs.values() for item in codec.sources.items())
        return {name: source.same_as for name, source in sources if source.same_as}

    def codec_training_settings(self, codec: str) -> dict[str, Any]:
        """What decides the training of a codec."""
        assert self.codec_training is not None
        chosen = self.codecs[codec]
        return {
            "codec": codec,
            "wrapper": chosen.wrapper,
            "model": chosen.model,
            "gain": chosen.gain,
            "quantizers": self.most_quantizers(codec),
            "seed": self.seed,
            "corpora": self.codec_training.corpora,
            **laid_over(self.codec_training.settings, chosen.training),
        }

    def most_quantizers(self, codec: str) -> int:
        """The most quantizers that any source of a codec uses."""
        return max(self.codecs[codec].generated().values())

    def all_audio(self) -> list[tuple[str, str]]:
        """(corpus, source) of all audio that a protocol names."""
        trained = (pair for domain in self.domains for pair in self.audio_of_domain(domain))
        judged = (pair for condition in self.conditions for pair in self.audio_of_condition(condition))
        return list(dict.fromkeys([*trained, *judged]))

    def train_settings(self, detector: str, training_set: str, strategy: str, seed: int) -> dict[str, Any]:
        """What decides the training of one model."""
        schedule = self.training_sets[training_set]
        return {
            **self.training,
            **schedule.settings,
            "detector": self.detectors[detector],
            "epochs": schedule.epochs,
            "halve_every": schedule.halve_every,
            "strategy": strategy,
            "strategy_settings": self.strategies.get(strategy, {}),
            "seed": seed,
        }

    def sources_by_corpus(self) -> dict[str, list[str]]:
        """Corpus -> its sources that have audio, recordings first."""
        sources: dict[str, list[str]] = {}
        for corpus, source in sorted(self.all_audio()):
            sources.setdefault(corpus, []).append(source)
        return {
            corpus: sorted(found, key=lambda source: (source[0] != "F", source)) for corpus, found in sources.items()
        }

    def drawn_sources(self) -> dict[str, list[str]]:
        """Corpus -> recordings and codecs' sources of the first condition's recordings, to be drawn."""
        first = next(iter(self.conditions.values()))
        corpora = self.corpora_of(first.bonafide)
        return {corpus: sources for corpus, sources in self.sources_by_corpus().items() if corpus in corpora}

    def codecs_run(self) -> list[str]:
        """The codecs that some protocol needs."""
        return list(dict.fromkeys(self.codec_of(source) for _, source in self.all_audio() if source != RECORDINGS))

    def checkpoints_run(self) -> list[str]:
        """The official checkpoints that the codecs in use need."""
        weights = (self.codecs[codec].weights for codec in self.codecs_run())
        return list(
            dict.fromkeys(item["official"] for item in weights if isinstance(item, dict) and "official" in item)
        )

    def is_trained(self, codec: str) -> bool:
        """Whether the workflow itself trains a codec's weights."""
        return self.codecs[codec].weights == "trained"

    def averages_run(self) -> dict[str, list[str]]:
        """`averages` over the conditions that are run; the mean of all if none is asked for."""
        run = {name: [c for c in conditions if c in self.conditions] for name, conditions in self.averages.items()}
        return {name: conditions for name, conditions in run.items() if conditions} or {"mean": list(self.conditions)}

    def corpora_of(self, selection: Selection) -> list[str]:
        """The corpora that a selection draws from."""
        if selection.corpus is not None:
            return [selection.corpus]
        domain = self.domains[selection.domain or ""]
        return selection.corpora or domain.keep or domain.corpora

    def model_names(self) -> list[str]:
        """`{detector}/{training set}/{strategy}/seed{n}` of every model to train, in the order of the file."""
        grids = (product(grid.detectors, grid.training_sets, grid.strategies, grid.seeds) for grid in self.models)
        names = [f"{d}/{t}/{s}/seed{n}" for grid in grids for d, t, s, n in grid]
        return list(dict.fromkeys(names))

    def audio_of_domain(self, domain: str) -> list[tuple[str, str]]:
        """(corpus, source) of all audio in the train and dev protocols of a domain."""
        rule = self.domains[domain]
        return [(c, self.original(s)) for c, s in product(rule.keep or rule.corpora, [RECORDINGS, *rule.sources])]

    def audio_of_condition(self, condition: str) -> list[tuple[str, str]]:
        """(corpus, source) of all audio that a condition judges."""
        sides = (self.conditions[condition].bonafide, self.conditions[condition].spoof)
        return [(corpus, self.original(side.source)) for side in sides for corpus in self.corpora_of(side)]

    def partition_settings(self, domain: str) -> PartitionSettings:
        """What decides the train and dev protocols of a domain."""
        rule = self.domains[domain]
        sources = [self.original(source) for source in rule.sources]
        return PartitionSettings(rule.corpora, rule.split, sources, rule.keep)

    def condition_settings(self, condition: str) -> ConditionSettings:
        """What decides the eval protocol of a condition."""
        rule = self.conditions[condition]
        return ConditionSettings(self._side(rule.bonafide), self._side(rule.spoof))

    def _side(self, chosen: Selection) -> Side:
        source = self.original(chosen.source)
        if chosen.domain is None:
            return Side(self.corpora_of(chosen), None, None, source, chosen.utterances)
        domain = self.domains[chosen.domain]
        return Side(domain.corpora, domain.split, chosen.corpora or domain.keep, source, chosen.utterances)


def exactly_one(values: dict[str, Any]) -> None:
    """Raise SettingsError unless one of the named values is given, and only one."""
    given = [name for name, value in values.items() if value is not None]
    if len(given) != 1:
        raise fault(f"give exactly one of {', '.join(values)}; found {', '.join(given) or 'none'}")


def _are_weights(value: Any) -> bool:
    if not isinstance(value, dict):
        return value in ("trained", "none")
    keys = set(value)
    return all(isinstance(text, str) and text for text in value.values()) and (
        keys == {"official"} or keys in ({"local"}, {"local", "license"})
    )


def laid_over(base: Any, over: Any) -> Any:
    """`over` laid over `base`: mappings key by key, anything else in place of what was there."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: laid_over(base.get(key), value) for key, value in over.items()}}
