"""The tables and figures of the papers that an experiment reproduces, and their inputs."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from codecfake.experiment import contents, ladders, released
from codecfake.experiment.schema import Experiment
from codecfake.tables.contents import CONTENTS
from codecfake.tables.figures import KINDS, possible_figures
from codecfake.tables.ladder import LADDER
from codecfake.tables.published import Published

OURS = (  # tables of every experiment
    *("eer", "confusion", "metrics", "eer_seeds", "comparisons"),
    *("cross_conditions", "cross_corpora", "eer_groups", "speaker_errors", "held_out", "taxonomy"),
)
LOSSES, SPECTROGRAMS = "xie2025_figure6", "xie2025_figure2"


@dataclass(frozen=True)
class Papers:
    """The papers' tables that an experiment has cells for."""

    experiment: Experiment
    published: Published

    @cached_property
    def tables(self) -> list[str]:
        """Their names."""
        error_rates = self.published.matching(self.experiment.model_names(), self.experiment.conditions)
        return [*error_rates, *self._counted]

    @cached_property
    def captions(self) -> dict[str, str]:
        """Table -> its title in the paper."""
        read = {
            name: self.published.counts if name in self._counted else self.published.error_rates for name in self.tables
        }
        tables = [read[name](name) for name in self.tables]
        return {table.name: f"{table.paper}, {table.place}: {table.caption}" for table in tables}

    @cached_property
    def figures(self) -> list[str]:
        """The figures that can be drawn from them and from our models."""
        return possible_figures(self.experiment.model_names(), self.experiment.conditions, self.tables)

    @property
    def ours(self) -> list[str]:
        """The tables of an experiment that are no paper's."""
        ladder = [LADDER] if ladders.steps_of(self.experiment) else []
        of_contents = [CONTENTS] if contents.settings(self.experiment) else []
        return [*OURS, *ladder, *of_contents, *(["label_policy"] if self.experiment.label_policies else [])]

    def histories(self) -> list[str]:
        """Histories of trainings, if a figure shows them."""
        models = released.trained_names(self.experiment) if LOSSES in self.figures else []
        return [f"results/models/{model}/history.tsv" for model in models]

    def protocols(self) -> list[str]:
        """Training protocols, if a table counts their trials."""
        domains = self.experiment.domains if self._counted else []
        return [f"results/protocols/{domain}/{split}.tsv" for domain, split in product(domains, ("train", "dev"))]

    def files(self) -> list[str]:
        """All files of tables and figures."""
        names = [f"{name}.csv" for name in self.ours]
        names += [f"{name}.{kind}" for name in self.tables for kind in ("csv", "tex", "html")]
        names += [f"figures/{name}.{kind}" for name in self.figures for kind in KINDS]
        return [f"results/tables/{name}" for name in names]

    def spectrograms(self) -> list[str]:
        """The figure of an utterance of each corpus through every codec."""
        return [f"results/tables/figures/{SPECTROGRAMS}.{kind}" for kind in KINDS]

    def sources(self) -> list[str]:
        """The files of the papers' numbers."""
        return [str(path) for path in sorted(self.published.folder.iterdir())]

    @cached_property
    def _counted(self) -> list[str]:
        return self.published.counts_of(self.experiment.title)
