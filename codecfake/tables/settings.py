"""Settings of tables and figures."""

from dataclasses import dataclass, field, replace

from codecfake.base.degraded_names import plain
from codecfake.statistics.intervals import BootstrapSettings

GROUP_COLUMNS = ["detector", "training_set", "strategy"]
CODED, UNCODED, CONTROL = KINDS_OF_SPOOFS = ("coded", "not coded", "control")
MACRO, POOLED = "macro_average", "pooled"
# of the tables across conditions and corpora, beside one column for each of these
CROSS_COLUMNS = (*GROUP_COLUMNS, "num_seeds", MACRO, POOLED)


@dataclass(frozen=True)
class LabelPolicy:
    """The keys of coded speech."""

    name: str
    keys: dict[str, dict[str, str]]  # source -> its `CodedKeys`


@dataclass(frozen=True)
class ContentGroup:
    """Conditions whose recordings are all speech or all other sounds, and whose spoofs are of one kind."""

    content: str  # of `codecfake.corpora.CONTENTS`
    spoofs: str  # of `KINDS_OF_SPOOFS`
    conditions: list[str]


@dataclass(frozen=True)
class Contents:
    """What of speech and sounds each training set has, and the conditions in groups; empty without a comparison."""

    trained: dict[str, list[str]] = field(default_factory=dict)
    groups: list[ContentGroup] = field(default_factory=list)


@dataclass(frozen=True)
class TableSettings:
    """The content of the tables, and the settings of intervals."""

    models: list[str]
    conditions: list[str]
    title: str = ""  # of the experiment
    papers: list[str] = field(default_factory=list)  # tables of `protocols/published` to write next to ours
    figures: list[str] = field(default_factory=list)  # of `figures.possible_figures`
    resamples: int = 1000
    level: float = 0.95
    seed: int = 1
    speakers_of: dict[str, dict[str, str]] = field(default_factory=dict)  # condition -> see `people.SpeakersOf`
    held_out: dict[str, list[str]] = field(default_factory=dict)  # training set -> conditions of codecs that it lacks
    trained: dict[str, list[str]] = field(default_factory=dict)  # training set -> conditions of its codecs
    label_policies: list[LabelPolicy] = field(default_factory=list)  # to compare; the first one is the reference
    kinds: dict[str, dict[str, str]] = field(default_factory=dict)  # source -> quantizer, auxiliary, decoder
    baselines: list[str] = field(default_factory=list)  # released detectors without codec fakes in training
    ladders: dict[str, list[str]] = field(default_factory=dict)  # condition -> its degradations, in their order
    contents: Contents = field(default_factory=Contents)

    @property
    def bootstrap(self) -> BootstrapSettings:
        return BootstrapSettings(resamples=self.resamples, level=self.level)

    def without_ladders(self) -> "TableSettings":
        """The same for the plain conditions alone: means over conditions do not count one of them several times."""
        return replace(self, conditions=plain(self.conditions), ladders={})


@dataclass(frozen=True)
class SpectrogramSettings:
    """The sources that spectrograms show."""

    sources: dict[str, list[str]]  # corpus -> its sources, recordings first
