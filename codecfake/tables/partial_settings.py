"""Settings of the table of partial fakes."""

from dataclasses import dataclass, field

from codecfake.statistics.intervals import BootstrapSettings


@dataclass(frozen=True)
class PartialTableSettings:
    models: list[str]  # `{detector}/{training_set}/{strategy}/seed{n}`
    conditions: dict[str, str]  # condition -> its source of partial fakes
    spoof_share: float = 0  # see `SegmentSettings`
    speakers_of: dict[str, dict[str, str]] = field(default_factory=dict)  # condition -> see `people.SpeakersOf`
    resamples: int = 1000
    level: float = 0.95
    seed: int = 1

    @property
    def bootstrap(self) -> BootstrapSettings:
        return BootstrapSettings(resamples=self.resamples, level=self.level)
