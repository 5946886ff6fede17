"""The input files of the jobs of partial fakes."""

from codecfake.experiment import partial_fakes
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS

KINDS = ("parquet", "tar")


class PartialInputs:
    """Paths relative to the run directory."""

    def __init__(self, experiment: Experiment, inputs: Inputs) -> None:
        self._experiment, self._inputs = experiment, inputs

    def pattern(self) -> str:
        """A regular expression of the sources of partial fakes; without any, of no source."""
        return "|".join(partial_fakes.sources(self._experiment)) or "-"

    def parents(self, corpus: str, source: str, shard: str) -> list[str]:
        """Indexes and tars of the same shard of recordings and of coded audio."""
        of = partial_fakes.sources(self._experiment)[source].of
        return [f"results/audio/{corpus}/{name}/{shard}.{kind}" for name in (RECORDINGS, of) for kind in KINDS]

    def indexes(self, corpus: str, source: str) -> list[str]:
        """The indexes of all shards of a source."""
        return [path for path in self._inputs.shards(corpus, source) if path.endswith(KINDS[0])]

    def protocols(self) -> list[str]:
        """The protocols whose trials are scored by segment."""
        return [f"results/protocols/eval/{name}.tsv" for name in self._conditions]

    def audio(self) -> list[str]:
        """The audio of these."""
        e = self._experiment
        return self._inputs.lists(pair for name in self._conditions for pair in e.audio_of_condition(name))

    def spans(self) -> list[str]:
        """The lists of the spans in it."""
        e = self._experiment
        pairs = [(corpus, e.conditions[name].spoof.source) for name in self._conditions
                 for corpus in e.corpora_of(e.conditions[name].spoof)]  # fmt: skip
        return [f"results/spans/{corpus}/{source}.tsv" for corpus, source in dict.fromkeys(pairs)]

    def segments(self) -> list[str]:
        """The scores of all models, by segment."""
        return [f"results/segments/{model}.tsv" for model in self._experiment.model_names()]

    @property
    def _conditions(self) -> list[str]:
        return list(partial_fakes.conditions(self._experiment))
