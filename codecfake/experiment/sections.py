"""The sections of an experiment file: their annotations define the keys and values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from codec_wrappers.resynthesis.settings import Resynthesize
from codec_wrappers.weights import shipped
from codecfake import generators
from codecfake.audio.partial_settings import PartialSettings
from codecfake.base.exclusive import exactly_one
from codecfake.base.settings import Fault, FaultsError, Filled, Of, Pattern, Range, below, build, fault
from codecfake.base.spelling import as_yaml
from codecfake.corpora import layout
from codecfake.corpora.settings import Share
from codecfake.corpora.sizes import ListedSize
from codecfake.degradation.settings import Ladders
from codecfake.detectors.released_forms import SEED, SET
from codecfake.experiment.weights import NoWeights, Official, Shipped, Trained, Weights
from codecfake.protocols.labels import Labels, Purpose
from codecfake.protocols.lists import RECORDINGS, Split
from codecfake.protocols.prompts import PromptRule

Name = Annotated[
    str, Pattern("[A-Za-z0-9][A-Za-z0-9_-]*", "a name: letters, digits, _ and -, with a letter or digit first")
]
Names = Annotated[list[Name], Filled()]
Count = Annotated[int, Range(least=1)]
Seed = Annotated[int, Range(least=0)]
Rate = Annotated[int, Range(least=8000)]  # Hz
Text = Annotated[str, Filled()]
START_FROM = "start_from"  # in `training` of a codec


@dataclass(frozen=True)
class Selection:
    """Utterances of a domain or a corpus, as recorded or from a codec's source."""

    domain: Name | None = None
    corpus: Name | None = None
    corpora: Names | None = None
    source: Name = RECORDINGS
    original: Literal["bonafide", "spoof"] | None = None  # key of the coded recordings; None: bona fide
    utterances: Literal["eval", "all"] = "eval"

    def __post_init__(self) -> None:
        exactly_one({"domain": self.domain, "corpus": self.corpus})


@dataclass(frozen=True)
class Captions:
    """Captions of a corpus, those without a recording too."""

    corpus: Name
    tables: list[str] = field(default_factory=list)  # names of its files; empty: all


@dataclass(frozen=True)
class Generation:
    """How a corpus of fakes is made from the texts of bona fide trials, or from captions."""

    generator: str  # of `codecfake.generators.names()`, or one outside the package: `module:name`, `file.py:name`
    weights: Weights | None = None  # None: its first published checkpoint
    codec_weights: Weights | None = None  # of the codec that it uses; None: those that the generator was trained on
    texts: Selection | None = None
    captions: Captions | None = None
    prompts: PromptRule = field(default_factory=PromptRule)  # if the generator takes prompts
    seed: Seed | None = None  # of prompts and of sampling; None: that of the experiment
    model: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    batch_size: Count = 8  # texts at a time; it does not change the fakes

    def __post_init__(self) -> None:
        exactly_one({"texts": self.texts, "captions": self.captions})

    @property
    def weights_used(self) -> Weights:
        """Those given, or the first checkpoint of the generator; none for a generator that has no checkpoints."""
        if self.weights is not None:
            return self.weights
        checkpoints = generators.entry(self.generator).checkpoints
        return Official(checkpoints[0]) if checkpoints else NoWeights()

    @property
    def codec_weights_used(self) -> Weights:
        """Those given, or the codec's checkpoint that the generator was trained on; none beside random weights."""
        if self.codec_weights is not None:
            return self.codec_weights
        checkpoint = generators.entry(self.generator).codec_checkpoint
        if checkpoint is None or isinstance(self.weights_used, NoWeights):
            return NoWeights()
        return Official(checkpoint)


@dataclass(frozen=True)
class Corpus:
    """Recordings on disk. `demo`: synthesized by the workflow; `optional`: omitted, with a note, if it has no root.

    A corpus with `generation` that has no root is made by a generator, unless config.yaml forbids it.
    """

    layout: str  # of `codecfake.corpora.LAYOUTS`, or `module:name`
    demo: bool = False
    optional: bool = False
    shards: Count = 1
    max_rejected: Share = 0.01
    options: dict[str, Any] = field(default_factory=dict)  # of the layout
    resynthesize: Resynthesize = "bonafide"  # the utterances that codecs resynthesize, by their key
    speakers_of: Name | None = None  # whose speakers its ids name: a corpus, or `own`; None: equal ids are one person
    content: Literal["speech", "sound"] | None = None  # what its recordings are; None: as its layout says
    # its expected size, if its layout has no published one
    size: Annotated[dict[str, Any], Of(ListedSize)] = field(default_factory=dict)
    generation: Generation | None = None  # for layout listed, whose options apply to the fakes too

    def __post_init__(self) -> None:
        with below("layout"):
            reader = layout(self.layout)
        with below("options"):
            reader.build_options(self.options)


def speakers_of(corpora: Mapping[str, Corpus]) -> dict[str, str]:
    """Corpus -> whose speakers its ids name, where the experiment says so."""
    return {name: corpus.speakers_of for name, corpus in corpora.items() if corpus.speakers_of is not None}


@dataclass(frozen=True)
class Source:
    """One kind of audio of a codec: `quantizers` codebooks, the same bytes as another source, or partial fakes."""

    quantizers: Count | None = None
    same_as: Name | None = None
    partial: PartialSettings | None = None
    printed_kbps: Annotated[float, Range(least=0)] | None = None  # as in the paper's table
    alternative_to: Name | None = None  # the source whose row in the paper this interprets differently
    note: str = ""  # shown in the list of codecs

    def __post_init__(self) -> None:
        exactly_one({"quantizers": self.quantizers, "same_as": self.same_as, "partial": self.partial})


@dataclass(frozen=True)
class Codec:
    """A wrapper with its architecture and weights; its sources share one encoder pass."""

    wrapper: str  # of `codec_wrappers.names()`, or one outside the package: `module:name`, `file.py:name`
    weights: Weights
    sources: Annotated[dict[Name, Source], Filled()]
    model: dict[str, Any] = field(default_factory=dict)
    gain: Literal["none", "rms", "peak", "lufs", "dbfs"] | None = None  # of its input; None: the codec's default
    keep_gain: bool = False  # leave that level in the fakes, as in some published sets: a shortcut for detectors
    decoder_precision: Literal["float32", "tf32", "bfloat16"] = "float32"  # codes are always exact
    purpose: Purpose | None = None  # for label policies; None: that of the wrapper
    training: dict[str, Any] = field(default_factory=dict)  # what differs from codec_training, and start_from

    def __post_init__(self) -> None:
        """Shipped weights, or those that training starts from, bring their model and gain where these are not given."""
        weights = self.start_from if isinstance(self.weights, Trained) else self.weights
        if not isinstance(weights, Shipped) or weights.name not in shipped.names():
            return
        theirs = shipped.find(weights.name)
        if theirs.wrapper == self.wrapper:
            object.__setattr__(self, "model", {**theirs.model, **self.model})
            object.__setattr__(self, "gain", theirs.gain if self.gain is None else self.gain)

    @property
    def start_from(self) -> Weights | None:
        """The weights that training starts from; None: fresh ones."""
        if START_FROM not in self.training:
            return None
        with below("training", START_FROM):
            return Weights.from_plain(self.training[START_FROM])

    @property
    def training_settings(self) -> dict[str, Any]:
        """`training` without `start_from`."""
        return {name: value for name, value in self.training.items() if name != START_FROM}

    def generated(self) -> dict[str, int]:
        """Source -> number of quantizers, without aliases and partial fakes."""
        return {name: source.quantizers for name, source in self.sources.items() if source.quantizers is not None}

    def coded_by(self, source: str) -> str:
        """The generated source whose coded speech a source has: itself, or that of an alias or of partial fakes."""
        rule = self.sources[source]
        return rule.same_as or (rule.partial.of if rule.partial else source)


@dataclass(frozen=True)
class Domain:
    """Bona fide recordings and their spoofs, split together: codec fakes, or vocoder fakes."""

    corpora: Names
    split: Split
    keep: Names | None = None  # of the corpora, after the split of all of them; None: all
    sources: Names = field(default_factory=list)  # seen in train and dev
    labels: Labels = field(default_factory=Labels)  # the keys of coded speech


@dataclass(frozen=True)
class Condition:
    bonafide: Selection
    spoof: Selection
    speakers_of: Name | None = None  # as of a corpus, for the corpora that this condition selects by `corpus`
    degrade: Ladders | None = None  # its trials once more at each step of laundering ladders


@dataclass(frozen=True)
class TrainingSet:
    domains: Names
    epochs: Count = 10
    halve_every: Count = 2
    settings: dict[str, Any] = field(default_factory=dict)  # that differ from `training`


@dataclass(frozen=True)
class ReleasedWeights:
    """Weights of a detector as its authors released them, in a form of `codecfake.detectors.released_forms`."""

    form: Text
    file: Text | None = None  # below the weights folder; None: the one that `released_files` knows
    name: Name | None = None  # distinguishes several files of one detector: `released-NAME`
    strategy: Name = "erm"  # by which it was trained
    trained_on: Names = field(default_factory=list)  # domains whose train lists its authors used; empty: not known
    calibrate_on: Name | None = None  # a domain, whose dev list it is calibrated on; None: not calibrated
    crop: Literal["whole"] | Count | None = None  # samples of the clips to score; None: as published

    @staticmethod
    def from_plain(value: Any) -> "ReleasedWeights":
        """The weights for a form's name, or for a mapping of these settings."""
        return build(ReleasedWeights, {"form": value} if isinstance(value, str) else _mapping(value))

    @property
    def training_set(self) -> str:
        """What names of its models have in place of a training set."""
        return SET if self.name is None else f"{SET}-{self.name}"


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise fault(f"expected the name of a form or a mapping of settings, found {as_yaml(value)}")
    return value


@dataclass(frozen=True)
class ModelGrid:
    """A product of detectors, training sets, strategies and seeds to train; or detectors with released weights."""

    detectors: Names
    training_sets: Names = field(default_factory=list)
    strategies: Names = field(default_factory=list)  # by default erm
    seeds: Annotated[list[Seed], Filled()] = field(default_factory=list)  # by default 1
    released: ReleasedWeights | None = None

    def __post_init__(self) -> None:
        names = ("training_sets", "strategies", "seeds")
        if self.released is None and not self.training_sets:
            raise fault("it is missing; name training sets, or give `released` weights", "training_sets")
        values = self._of_training() if self.released is None else self._of_released(self.released)
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    def _of_training(self) -> tuple[list[str], list[str], list[int]]:
        return self.training_sets, self.strategies or ["erm"], self.seeds or [1]

    def _of_released(self, released: ReleasedWeights) -> tuple[list[str], list[str], list[int]]:
        """The parts of the names of its models. Raises FaultsError for keys that are of a training."""
        faults = [
            Fault((key,), "released weights are not trained here; remove it, or remove `released`")
            for key in ("training_sets", "strategies", "seeds")
            if getattr(self, key)
        ]
        if faults:
            raise FaultsError("", faults)
        return [released.training_set], [released.strategy], [SEED]


@dataclass(frozen=True)
class CodecTraining:
    """How every codec with `weights: trained` is trained, unless its own `training` differs.

    `settings` are those of `codec_wrappers.training.settings.CodecTrainingSettings`: the recipe, and changes to it.
    """

    corpora: Names
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Audio:
    """The sample rate of every shard, in Hz; `native`: each codec's own."""

    sample_rate: Literal["native"] | Rate = 16000


@dataclass(frozen=True)
class Quality:
    """The number of held-out utterances, over all corpora, for the quality measurement of every codec."""

    utterances: Count = 32
