"""What an experiment says about a run that is to be published: its corpora with licenses and credits, and its names."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from codec_wrappers import UNSTATED, entry
from codecfake.base.settings import build
from codecfake.base.suggestions import unknown
from codecfake.base.validation import read_yaml
from codecfake.demo import SOUND_FOLDERS
from codecfake.experiment.schema import Experiment
from codecfake.experiment.weights import Local
from codecfake.publishing.clips import PublishingError

CREDITS = Path(__file__).with_name("corpora.yaml")


@dataclass(frozen=True)
class Credit:
    """The license and credit of the corpora of one layout."""

    license: str = UNSTATED
    citation: str = ""
    homepage: str = ""
    note: str = ""


# sentences, voices and recordings of the demo are made by the package, and have its license
DEMO = Credit("Apache-2.0", note="synthesized by codecfake with eSpeak NG; no person speaks")
DEMO_SOUNDS = Credit("Apache-2.0", note="sounds that codecfake computes from formulas")


@dataclass(frozen=True)
class CorpusFacts:
    """One corpus of a run. The fakes of a generator say the texts of other corpora, in voices of other corpora."""

    name: str
    layout: str
    credit: Credit
    texts_of: tuple[str, ...] = ()  # corpora that a generator took texts and voices from
    is_demo: bool = False


@dataclass(frozen=True)
class CodecFacts:
    """One codec configuration of a run."""

    name: str
    about: str
    paper: str
    weights: str


@dataclass(frozen=True)
class RunFacts:
    """The facts of a run; `command` makes it again."""

    title: str
    description: str
    command: str
    corpora: Mapping[str, CorpusFacts]
    codecs: Mapping[str, CodecFacts]


def from_experiment(experiment: Experiment, name: str, stated: Mapping[str, str]) -> RunFacts:
    """The facts of a run of `experiment`, which the command line calls `name`; `stated`: corpus -> license by the user.

    Raises PublishingError if `stated` names an unknown corpus.
    """
    strange = [corpus for corpus in stated if corpus not in experiment.corpora]
    if strange:
        raise PublishingError(f"--corpus-license: {unknown('corpus', strange[0], experiment.corpora)}")
    return RunFacts(
        title=experiment.title,
        description=experiment.description,
        command=f"codecfake run {Path(name).name} --run DIR",
        corpora={corpus: _corpus(experiment, corpus, stated.get(corpus)) for corpus in experiment.corpora},
        codecs={codec: _codec(experiment, codec) for codec in experiment.codecs},
    )


def _corpus(experiment: Experiment, name: str, stated: str | None) -> CorpusFacts:
    corpus = experiment.corpora[name]
    of_demo = DEMO_SOUNDS if corpus.layout in SOUND_FOLDERS else DEMO
    known = of_demo if corpus.demo else credits_by_layout().get(corpus.layout, Credit())
    credit = known if stated is None else Credit(stated, known.citation, known.homepage, known.note)
    generated = name in experiment.generated()
    texts_of = tuple(experiment.text_corpora(name)) if generated else ()
    return CorpusFacts(name, corpus.layout, credit, texts_of, corpus.demo)


def _codec(experiment: Experiment, name: str) -> CodecFacts:
    codec = experiment.codecs[name]
    known = entry(codec.wrapper)
    # the name of a local file can be a path on this machine
    weights = "a file of the maker" if isinstance(codec.weights, Local) else codec.weights.label
    return CodecFacts(name, known.about, known.paper, weights)


@cache
def credits_by_layout() -> dict[str, Credit]:
    """The entries of `corpora.yaml`."""
    return {layout: build(Credit, values) for layout, values in read_yaml(CREDITS).items()}
