"""Settings of tables and figures."""

from dataclasses import dataclass, field

from codecfake.statistics.intervals import BootstrapSettings


@dataclass(frozen=True)
class TableSettings:
    """What the tables are to hold, and how intervals are drawn."""

    models: list[str]
    conditions: list[str]
    title: str = ""  # of the experiment
    papers: list[str] = field(default_factory=list)  # tables of `protocols/published` to be written with ours
    figures: list[str] = field(default_factory=list)  # of `figures.drawable`
    resamples: int = 1000
    level: float = 0.95
    seed: int = 1

    @property
    def bootstrap(self) -> BootstrapSettings:
        return BootstrapSettings(resamples=self.resamples, level=self.level)


@dataclass(frozen=True)
class SpectrogramSettings:
    """What spectrograms show."""

    sources: dict[str, list[str]]  # corpus -> its sources, recordings first
